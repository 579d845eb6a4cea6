-- id: LUA-CRA-020
-- class: crash
-- tries: use dead coroutines
-- expect: value "done"

local co = coroutine.create(function() end)
for i = 1, 10 do coroutine.resume(co) pcall(coroutine.close, co) end
return "done"
