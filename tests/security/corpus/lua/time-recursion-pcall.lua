-- id: LUA-CPU-025
-- class: time
-- tries: recurse through pcall for ever
-- expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError EngineCrashed ResourceExhausted

local function f() return pcall(f) end
while true do f() end
