-- id: LUA-CPU-023
-- class: time
-- tries: frontier patterns again and again
-- expect: error DeadlineExceeded

while true do local _ = ("THE (quick) fox"):find("%f[%a]%a+%f[%A]") end
