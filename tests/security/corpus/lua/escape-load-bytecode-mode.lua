-- id: LUA-ESC-027
-- class: escape
-- tries: load bytecode asking for binary mode
-- expect: value "safe"

local chunk = load("\27Lua\84\0\25\147\r\n\26\n", "=x", "b")
if chunk then return "ESCAPED" end
return "safe"
