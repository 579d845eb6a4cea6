-- id: LUA-MEM-006
-- class: memory
-- tries: make closures for ever
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do t[#t + 1] = function() return t end end
