-- id: LUA-CPU-038
-- class: time
-- tries: loop in a finalizer, where hooks do not run
-- expect: error ScriptRuntimeError DeadlineExceeded

setmetatable({}, {__gc = function() while true do end end})
local t = {}
for i = 1, 1000000 do t = {t} end
return "ESCAPED"
