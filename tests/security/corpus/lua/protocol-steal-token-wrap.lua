-- id: LUA-PRO-005
-- class: protocol
-- tries: the same through coroutine.wrap inside a metamethod
-- expect: value "safe"

local proxy = setmetatable({}, {__index = function(_, key) return data.parse_json(key) end})
local co = coroutine.wrap(function() return proxy["7"] end)
if co() ~= 7 then return "ESCAPED" end
return "safe"
