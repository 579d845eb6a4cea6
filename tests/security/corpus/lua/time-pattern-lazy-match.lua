-- id: LUA-CPU-019
-- class: time
-- tries: quadratic lazy match on a megabyte
-- expect: error DeadlineExceeded | value null

return ("a"):rep(1000000):match(".-b")
