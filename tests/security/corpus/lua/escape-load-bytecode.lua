-- id: LUA-ESC-026
-- class: escape
-- tries: load bytecode from a string
-- expect: value "safe"

local chunk = load("\27Lua\84\0\25\147\r\n\26\n", "=x")
if chunk then return "ESCAPED" end
return "safe"
