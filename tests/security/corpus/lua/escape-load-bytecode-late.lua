-- id: LUA-ESC-029
-- class: escape
-- tries: hide the first byte behind an empty first piece
-- expect: value "safe"

local n = 0
local ok, chunk = pcall(load, function() n = n + 1 if n == 1 then return "\27Lua" end end, "=x", "bt")
if ok and chunk then return "ESCAPED" end
return "safe"
