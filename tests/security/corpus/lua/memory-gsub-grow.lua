-- id: LUA-MEM-010
-- class: memory
-- tries: grow a string with gsub
-- expect: error MemoryExceeded DeadlineExceeded

local s = ("x"):rep(1000)
while true do s = s:gsub("x", "xx") end
