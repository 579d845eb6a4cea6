-- id: LUA-CPU-002
-- class: time
-- tries: catch the interruption and go on
-- expect: error DeadlineExceeded

while true do pcall(function() while true do end end) end
