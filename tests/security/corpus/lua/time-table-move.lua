-- id: LUA-CPU-031
-- class: time
-- tries: move a table of 10^15 elements
-- expect: error DeadlineExceeded ScriptRuntimeError MemoryExceeded

table.move({}, 1, 1e15, 2)
return "done"
