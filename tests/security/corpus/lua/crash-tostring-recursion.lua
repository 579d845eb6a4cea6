-- id: LUA-CRA-003
-- class: crash
-- tries: recurse through tostring
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local t = setmetatable({}, {})
getmetatable(t).__tostring = function() return tostring(t) end
return tostring(t)
