-- id: LUA-ESC-019
-- class: escape
-- tries: change an environment the 5.1 way
-- expect: value "safe"

if setfenv or getfenv then return "ESCAPED" end
return "safe"
