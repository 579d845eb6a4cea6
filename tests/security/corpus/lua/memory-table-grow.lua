-- id: LUA-MEM-001
-- class: memory
-- tries: fill a table for ever
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do t[#t + 1] = {} end
