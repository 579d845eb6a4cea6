-- id: LUA-CPU-028
-- class: time
-- tries: build and drop strings for ever
-- expect: error DeadlineExceeded

local s = ("x"):rep(1000)
while true do local _ = s .. s end
