-- id: LUA-ESC-036
-- class: escape
-- tries: use str.format-like templates to reach attributes
-- expect: value "safe"

local ok, got = pcall(string.format, "{0.__class__}", data)
if ok and tostring(got):find("class '", 1, true) then return "ESCAPED" end
return "safe"
