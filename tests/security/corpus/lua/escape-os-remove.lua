-- id: LUA-ESC-003
-- class: escape
-- tries: delete a file
-- expect: value "safe"

if os and os.remove then return "ESCAPED" end
return "safe"
