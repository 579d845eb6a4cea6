-- id: LUA-PRO-010
-- class: protocol
-- tries: use a handle that was never given
-- expect: value "safe"

local fake = setmetatable({}, {__index = function() return 1 end})
local ok = pcall(data.map, {1}, fake)
if ok then return "ESCAPED" end
return "safe"
