-- id: LUA-STA-007
-- class: state
-- tries: leave a suspended coroutine behind that wakes later
-- expect: value "safe"

leftover = coroutine.create(function() while true do coroutine.yield() end end)
coroutine.resume(leftover)
return "safe"
