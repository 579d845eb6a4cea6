-- id: LUA-PRO-008
-- class: protocol
-- tries: require with dots that mean directories
-- expect: value "safe"

for _, name in ipairs({"...etc.passwd", "..etc", ".", "a..b"}) do
  if pcall(require, name) then return "ESCAPED: " .. name end
end
return "safe"
