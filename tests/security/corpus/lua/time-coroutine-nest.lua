-- id: LUA-CPU-026
-- class: time
-- tries: nest coroutines again and again
-- expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError EngineCrashed ResourceExhausted

local function nest(n)
  if n == 0 then return end
  coroutine.wrap(nest)(n - 1)
end
while true do pcall(nest, 150) end
