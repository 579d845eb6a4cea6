-- id: LUA-CPU-011
-- class: time
-- tries: loop in a closing handler that runs because of the interruption
-- expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError EngineCrashed ResourceExhausted

local function forever()
  local x <close> = setmetatable({}, {__close = function() pcall(forever) while true do end end})
  while true do end
end
pcall(forever)
forever()
