-- id: LUA-MEM-005
-- class: memory
-- tries: concatenate a huge table
-- expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

local t = {}
for i = 1, 100000 do t[i] = ("x"):rep(10000) end
return #table.concat(t)
