-- id: LUA-CPU-020
-- class: time
-- tries: balanced match on a megabyte
-- expect: error DeadlineExceeded | value null

return ("("):rep(1000000):find("%b()%b()")
