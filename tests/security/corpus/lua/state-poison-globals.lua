-- id: LUA-STA-002
-- class: state
-- tries: overwrite every global for the next run
-- expect: value "safe"

for name in pairs(_G) do
  if name ~= "_G" then _G[name] = nil end
end
_G.pcall = function() return true end
_G.leftover = "from before"
return "safe"
