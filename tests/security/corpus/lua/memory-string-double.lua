-- id: LUA-MEM-002
-- class: memory
-- tries: double a string for ever
-- expect: error MemoryExceeded DeadlineExceeded

local s = "x"
while true do s = s .. s end
