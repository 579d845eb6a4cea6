-- id: LUA-ESC-034
-- class: escape
-- tries: replace the metatable of a bridge table
-- expect: value "safe"

local ok = pcall(setmetatable, data, {__index = function() return print end})
local meta = getmetatable(data)
if type(meta) == "table" and rawget(meta, "__call") then return "ESCAPED" end
return "safe"
