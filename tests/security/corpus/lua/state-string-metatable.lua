-- id: LUA-STA-001
-- class: state
-- tries: change the metatable all strings share
-- expect: value "safe"

local meta = getmetatable("")
if type(meta) == "table" then
  pcall(function() meta.__index = function() return "owned" end end)
  pcall(rawset, meta, "__index", function() return "owned" end)
  pcall(rawset, meta, "__add", function() return "owned" end)
end
pcall(setmetatable, "", {__index = function() return "owned" end})
if ("x").upper == "owned" or not pcall(function() return ("x"):upper() end) then return "ESCAPED" end
return "safe"
