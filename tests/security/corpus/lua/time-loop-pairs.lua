-- id: LUA-CPU-013
-- class: time
-- tries: loop in an iterator
-- expect: error DeadlineExceeded

for _ in function() return 1 end do end
