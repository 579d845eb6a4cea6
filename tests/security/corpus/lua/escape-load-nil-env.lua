-- id: LUA-ESC-025
-- class: escape
-- tries: load with an explicit nil environment and look at what it sees
-- expect: value "safe"

local chunk = load("return _ENV", "=x", "t", nil)
local ok, env = pcall(chunk)
if ok and type(env) == "table" and rawget(env, "debug") then return "ESCAPED" end
return "safe"
