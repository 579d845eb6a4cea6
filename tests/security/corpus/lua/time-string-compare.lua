-- id: LUA-CPU-027
-- class: time
-- tries: compare long strings for ever
-- expect: error DeadlineExceeded

local a = ("x"):rep(1000000)
local b = a .. "y"
while true do local _ = a < b end
