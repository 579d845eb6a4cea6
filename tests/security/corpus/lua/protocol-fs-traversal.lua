-- id: LUA-PRO-013
-- class: protocol
-- tries: read through a parent directory
-- expect: value "safe"

for _, path in ipairs({"../../../../etc/passwd", "./../etc/passwd", "a/../../etc/passwd", "/proc/self/environ", "/proc/self/mem", "/dev/mem"}) do
  if pcall(function() return fs.read(path) end) then return "ESCAPED: " .. path end
end
return "safe"
