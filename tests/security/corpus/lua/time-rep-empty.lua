-- id: LUA-CPU-037
-- class: time
-- tries: repeat the empty string 10^15 times
-- expect: value ""

return (""):rep(1000000000000000)
