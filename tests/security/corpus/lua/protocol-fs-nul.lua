-- id: LUA-PRO-014
-- class: protocol
-- tries: cut a path short with NUL
-- expect: value "safe"

if pcall(function() return fs.read("/etc/passwd\0.txt") end) then return "ESCAPED" end
return "safe"
