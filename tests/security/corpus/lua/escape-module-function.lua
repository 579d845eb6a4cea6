-- id: LUA-ESC-018
-- class: escape
-- tries: use the 5.1 module function
-- expect: value "safe"

if module then return "ESCAPED" end
return "safe"
