-- id: LUA-CPU-032
-- class: time
-- tries: insert into a table that lies about its length
-- expect: error DeadlineExceeded ScriptRuntimeError

table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)
return "done"
