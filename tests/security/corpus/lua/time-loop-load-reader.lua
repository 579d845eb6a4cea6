-- id: LUA-CPU-016
-- class: time
-- tries: a reader that never ends its chunk
-- expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

load(function() return " " end)
