-- id: LUA-CPU-008
-- class: time
-- tries: count to the end of the integers
-- expect: error DeadlineExceeded

for i = 1, math.maxinteger do end
