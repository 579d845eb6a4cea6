-- id: LUA-CPU-034
-- class: time
-- tries: concatenate a table that lies about its length
-- expect: error DeadlineExceeded ScriptRuntimeError MemoryExceeded

table.concat(setmetatable({}, {__len = function() return 1 << 60 end, __index = function() return "" end}))
return "done"
