-- id: LUA-MEM-008
-- class: memory
-- tries: catch the memory error and go on
-- expect: error MemoryExceeded DeadlineExceeded

local t = {}
while true do pcall(function() while true do t[#t + 1] = ("x"):rep(1000) .. #t end end) end
