-- id: LUA-CRA-005
-- class: crash
-- tries: two tables that index each other
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local a, b = {}, {}
setmetatable(a, {__index = b})
setmetatable(b, {__index = a})
return a.missing
