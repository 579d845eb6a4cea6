-- id: LUA-CRA-006
-- class: crash
-- tries: recurse through __concat
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local t = setmetatable({}, {})
getmetatable(t).__concat = function(a, b) return a .. b end
return t .. "x"
