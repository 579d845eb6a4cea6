-- id: LUA-ESC-024
-- class: escape
-- tries: the same through a reader function
-- expect: value "safe"

local parts = {"return ", "debug or ", "python"}
local n = 0
local chunk = load(function() n = n + 1 return parts[n] end)
if chunk and chunk() then return "ESCAPED" end
return "safe"
