-- id: LUA-CPU-004
-- class: time
-- tries: loop inside a coroutine
-- expect: error DeadlineExceeded

local co = coroutine.wrap(function() while true do end end)
co()
