-- id: LUA-CRA-023
-- class: crash
-- tries: raise an error with a huge text
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

error(("x"):rep(5000000))
