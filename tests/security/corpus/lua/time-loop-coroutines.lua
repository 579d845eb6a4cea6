-- id: LUA-CPU-005
-- class: time
-- tries: make coroutines that each loop
-- expect: error DeadlineExceeded

while true do
  local co = coroutine.create(function() while true do end end)
  coroutine.resume(co)
end
