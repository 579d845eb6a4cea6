-- id: LUA-MEM-003
-- class: memory
-- tries: ask for a huge string at once
-- expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

local s = ("x"):rep(2000000000)
return #s
