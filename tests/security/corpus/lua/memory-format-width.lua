-- id: LUA-MEM-009
-- class: memory
-- tries: format with a huge width
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do t[#t + 1] = ("%99d"):format(#t):rep(10000) end
