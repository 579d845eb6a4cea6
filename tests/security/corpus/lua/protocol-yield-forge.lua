-- id: LUA-PRO-001
-- class: protocol
-- tries: yield values that look like host calls out of the main chunk
-- expect: error ScriptRuntimeError

coroutine.yield("call", "fs", "read", {"/etc/passwd"})
return "ESCAPED"
