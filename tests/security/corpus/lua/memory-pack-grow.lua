-- id: LUA-MEM-015
-- class: memory
-- tries: grow with string.pack
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do t[#t + 1] = string.pack("s4", ("x"):rep(100000)) .. #t end
