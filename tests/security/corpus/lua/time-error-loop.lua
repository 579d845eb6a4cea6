-- id: LUA-CPU-029
-- class: time
-- tries: raise and catch for ever
-- expect: error DeadlineExceeded

while true do pcall(error, "x") end
