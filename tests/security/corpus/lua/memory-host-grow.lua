-- id: LUA-MEM-012
-- class: memory
-- tries: have the host hand over large values
-- expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ConversionError BridgeCallError

local t = {}
local big = ("x"):rep(100000)
while true do t[#t + 1] = data.clone({big .. #t}) end
