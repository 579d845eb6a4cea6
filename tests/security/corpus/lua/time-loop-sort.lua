-- id: LUA-CPU-014
-- class: time
-- tries: a comparator that never ends
-- expect: error DeadlineExceeded

local t = {}
for i = 1, 1000 do t[i] = i end
table.sort(t, function() while true do end end)
