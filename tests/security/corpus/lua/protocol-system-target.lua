-- id: LUA-PRO-009
-- class: protocol
-- tries: address the host itself as if it were a bridge
-- expect: value "safe"

for _, name in ipairs({"@host", "@module", "#1", "1"}) do
  if pcall(require, name) then return "ESCAPED: " .. name end
end
return "safe"
