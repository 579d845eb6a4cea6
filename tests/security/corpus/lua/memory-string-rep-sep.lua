-- id: LUA-MEM-004
-- class: memory
-- tries: ask for a huge string by its separator
-- expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

local s = ("x"):rep(1000000, ("y"):rep(10000))
return #s
