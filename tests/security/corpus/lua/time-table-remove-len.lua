-- id: LUA-CPU-033
-- class: time
-- tries: remove from a table that lies about its length
-- expect: error DeadlineExceeded ScriptRuntimeError

table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)
return "done"
