-- id: LUA-CRA-001
-- class: crash
-- tries: recurse without end
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local function f() return 1 + f() end
return f()
