-- id: LUA-PRO-012
-- class: protocol
-- tries: read a file that nobody named
-- expect: value "safe"

local ok = pcall(function() return fs.read("/etc/passwd") end)
return ok and "ESCAPED" or "safe"
