-- id: LUA-CRA-007
-- class: crash
-- tries: recurse through gsub callbacks
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local function f(s) return (s:gsub(".", f)) end
return f("x")
