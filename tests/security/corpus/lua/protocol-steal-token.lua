-- id: LUA-PRO-004
-- class: protocol
-- tries: catch the host token by resuming a coroutine that makes a host call
-- expect: value "safe"

local co = coroutine.create(function() return data.parse_json("1") end)
local ok, value = coroutine.resume(co)
if not ok or value ~= 1 then return "ESCAPED: " .. tostring(value) end
return "safe"
