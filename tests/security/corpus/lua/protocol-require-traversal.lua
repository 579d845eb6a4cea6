-- id: LUA-PRO-007
-- class: protocol
-- tries: require a file outside the spell
-- expect: value "safe"

for _, name in ipairs({"../../etc/passwd", "/etc/passwd", "..", "....//etc", "file:///etc/passwd", "\0/etc/passwd"}) do
  if pcall(require, name) then return "ESCAPED: " .. name end
end
return "safe"
