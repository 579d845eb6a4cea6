-- id: LUA-MEM-007
-- class: memory
-- tries: make coroutines for ever
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do
  local co = coroutine.create(function() coroutine.yield() end)
  coroutine.resume(co)
  t[#t + 1] = co
end
