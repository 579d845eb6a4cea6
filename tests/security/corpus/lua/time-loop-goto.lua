-- id: LUA-CPU-006
-- class: time
-- tries: loop with goto
-- expect: error DeadlineExceeded

::again::
goto again
