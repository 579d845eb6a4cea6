-- id: LUA-CPU-039
-- class: time
-- tries: add a finalizer after the metatable was set
-- expect: value "safe" | error ScriptRuntimeError DeadlineExceeded MemoryExceeded

local meta = {__gc = true}
local ok, t = pcall(setmetatable, {}, meta)
if ok then meta.__gc = function() while true do end end end
t = nil
for i = 1, 200000 do local _ = {i} end
return "safe"
