-- id: LUA-ESC-030
-- class: escape
-- tries: reach string.dump through the string metatable
-- expect: value "safe"

local ok, dump = pcall(function() return ("").dump end)
if ok and dump then return "ESCAPED" end
return "safe"
