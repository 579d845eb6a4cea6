-- id: LUA-CRA-021
-- class: crash
-- tries: raise nothing
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

error(nil)
