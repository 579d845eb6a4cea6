-- id: LUA-CPU-035
-- class: time
-- tries: sort a table that lies about its length
-- expect: error MemoryExceeded DeadlineExceeded ScriptRuntimeError

table.sort(setmetatable({}, {__len = function() return (1 << 31) - 2 end, __index = function(_, i) return i end}))
return "done"
