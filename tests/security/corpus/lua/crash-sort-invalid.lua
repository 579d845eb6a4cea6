-- id: LUA-CRA-009
-- class: crash
-- tries: an inconsistent comparator
-- expect: value "done" | error ScriptRuntimeError

local t = {}
for i = 1, 200 do t[i] = i % 7 end
table.sort(t, function() return true end)
return "done"
