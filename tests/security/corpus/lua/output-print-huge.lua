-- id: LUA-OUT-003
-- class: output
-- tries: print one huge line
-- expect: error OutputExceeded MemoryExceeded

print(("x"):rep(10000000))
