-- id: LUA-ESC-033
-- class: escape
-- tries: read an address of the process out of tostring
-- expect: value "safe"

-- Addresses of tables are harmless by themselves; what must not be there is a Python object's repr.
local text = tostring(print) .. tostring(_G) .. tostring(data)
if text:find("object at", 1, true) or text:find("built-in", 1, true) then return "ESCAPED: " .. text end
return "safe"
