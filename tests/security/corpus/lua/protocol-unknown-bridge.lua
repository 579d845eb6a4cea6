-- id: LUA-PRO-006
-- class: protocol
-- tries: call a bridge that is not granted
-- expect: value "safe"

local ok, err = pcall(function() return require("os") end)
if ok then return "ESCAPED" end
return "safe"
