-- id: LUA-ESC-005
-- class: escape
-- tries: make a temporary file
-- expect: value "safe"

if os and os.tmpname then return "ESCAPED" end
return "safe"
