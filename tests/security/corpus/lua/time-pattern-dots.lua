-- id: LUA-CPU-018
-- class: time
-- tries: a pattern with many lazy dots
-- expect: error DeadlineExceeded | value null

return ("a"):rep(5000):find("(.-)(.-)(.-)(.-)b")
