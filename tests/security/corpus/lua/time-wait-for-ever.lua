-- id: LUA-CPU-030
-- class: time
-- tries: wait longer than there is time
-- expect: error DeadlineExceeded

core.sleep(1000)
