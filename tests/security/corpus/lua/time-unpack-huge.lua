-- id: LUA-CPU-036
-- class: time
-- tries: unpack ten million values
-- expect: error DeadlineExceeded ScriptRuntimeError MemoryExceeded

local t = {table.unpack({}, 1, 10000000)}
return "done"
