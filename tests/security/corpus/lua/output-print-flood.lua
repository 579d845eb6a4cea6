-- id: LUA-OUT-001
-- class: output
-- tries: print without end
-- expect: error OutputExceeded

while true do print(("x"):rep(1000)) end
