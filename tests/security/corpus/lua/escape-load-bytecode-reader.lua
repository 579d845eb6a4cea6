-- id: LUA-ESC-028
-- class: escape
-- tries: load bytecode piece by piece through a reader
-- expect: value "safe"

local parts, n = {"\27", "Lua", "\84\0\25\147\r\n\26\n"}, 0
local ok, chunk = pcall(load, function() n = n + 1 return parts[n] end, "=x", "bt")
if ok and chunk then return "ESCAPED" end
return "safe"
