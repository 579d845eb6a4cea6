-- id: LUA-PRO-003
-- class: protocol
-- tries: a yield inside a coroutine stays the script's own
-- expect: value "safe"

local co = coroutine.create(function() coroutine.yield("call", "fs", "read") return 1 end)
local ok, first, second, third = coroutine.resume(co)
if first ~= "call" or third ~= "read" then return "ESCAPED" end
return "safe"
