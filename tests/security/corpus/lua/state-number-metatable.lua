-- id: LUA-STA-006
-- class: state
-- tries: give numbers and functions a metatable
-- expect: value "safe"

for _, item in ipairs({1, true, print}) do pcall(setmetatable, item, {__call = function() return "owned" end, __index = {}}) end
local ok = pcall(function() return (1)() end)
return ok and "ESCAPED" or "safe"
