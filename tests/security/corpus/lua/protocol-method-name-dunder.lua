-- id: LUA-PRO-011
-- class: protocol
-- tries: call private methods of a bridge
-- expect: value "safe"

for _, name in ipairs({"__init__", "open", "close", "_secret", "__class__", "health"}) do
  local ok, got = pcall(function() return data[name]() end)
  if ok then return "ESCAPED: " .. name end
end
return "safe"
