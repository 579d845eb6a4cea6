-- id: LUA-CPU-001
-- class: time
-- tries: loop for ever
-- expect: error DeadlineExceeded

while true do end
