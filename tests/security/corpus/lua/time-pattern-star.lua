-- id: LUA-CPU-017
-- class: time
-- tries: a pattern that backtracks for ever
-- expect: error DeadlineExceeded | value null

return ("a"):rep(30):find(("a?"):rep(30) .. ("a"):rep(30) .. "b")
