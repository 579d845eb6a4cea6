-- id: LUA-CPU-007
-- class: time
-- tries: loop with repeat
-- expect: error DeadlineExceeded

repeat until false
