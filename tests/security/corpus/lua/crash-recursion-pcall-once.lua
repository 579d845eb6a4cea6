-- id: LUA-CRA-002
-- class: crash
-- tries: catch the stack overflow
-- expect: value false | error ScriptRuntimeError MemoryExceeded ResourceExhausted

local function f() return 1 + f() end
return (pcall(f))
