-- id: LUA-CRA-022
-- class: crash
-- tries: raise a table that contains itself
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local t = {}
t.self = t
error(t)
