-- id: LUA-PRO-002
-- class: protocol
-- tries: yield a table dressed up as the host token
-- expect: error ScriptRuntimeError

coroutine.yield(setmetatable({}, {__eq = function() return true end}), "fs", "read", "/etc/passwd")
return "ESCAPED"
