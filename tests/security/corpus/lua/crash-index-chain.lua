-- id: LUA-CRA-004
-- class: crash
-- tries: a metatable that is its own __index
-- expect: value null | error ScriptRuntimeError

local t = {}
setmetatable(t, t)
t.__index = t
return t.missing
