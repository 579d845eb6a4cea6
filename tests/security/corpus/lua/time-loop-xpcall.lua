-- id: LUA-CPU-003
-- class: time
-- tries: go on in the message handler
-- expect: error DeadlineExceeded

xpcall(function() while true do end end, function() while true do end end)
