-- id: LUA-MEM-011
-- class: memory
-- tries: compile a huge source
-- expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

local t = {"return {"}
for i = 1, 3000000 do t[#t + 1] = "{}," end
t[#t + 1] = "}"
local f = load(table.concat(t))
return f and #f()
