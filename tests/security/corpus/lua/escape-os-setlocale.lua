-- id: LUA-ESC-006
-- class: escape
-- tries: change the locale of the whole process
-- expect: value "safe"

if os and os.setlocale then return "ESCAPED" end
return "safe"
