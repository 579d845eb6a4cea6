-- id: LUA-MEM-014
-- class: memory
-- tries: grow with utf8.char
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do t[#t + 1] = utf8.char(0x10FFFF):rep(10000) .. #t end
