-- id: LUA-CRA-024
-- class: crash
-- tries: raise an error that is not UTF-8
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

error("\xff\xfe\0 binary")
