-- id: LUA-OUT-002
-- class: output
-- tries: catch the output limit and go on
-- expect: error OutputExceeded

while true do pcall(print, ("x"):rep(1000)) end
