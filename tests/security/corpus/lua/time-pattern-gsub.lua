-- id: LUA-CPU-022
-- class: time
-- tries: replace with an expensive pattern
-- expect: error DeadlineExceeded | value null

return ("a"):rep(200000):gsub(".-.-b", "")
