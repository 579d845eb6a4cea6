-- id: LUA-CPU-024
-- class: time
-- tries: call the host for ever
-- expect: error DeadlineExceeded BudgetExceeded

while true do pcall(function() core.uuid() end) end
