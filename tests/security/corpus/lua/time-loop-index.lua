-- id: LUA-CPU-009
-- class: time
-- tries: loop inside a metamethod
-- expect: error DeadlineExceeded

local t = setmetatable({}, {__index = function() while true do end end})
return t.x
