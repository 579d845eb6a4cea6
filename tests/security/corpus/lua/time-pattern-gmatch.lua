-- id: LUA-CPU-021
-- class: time
-- tries: a generator over an expensive pattern
-- expect: error DeadlineExceeded | value null

for _ in ("a"):rep(200000):gmatch(".-.-b") do end
