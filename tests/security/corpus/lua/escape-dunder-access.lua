-- id: LUA-ESC-035
-- class: escape
-- tries: use Python attribute names on everything the host gives
-- expect: value "safe"

for _, item in ipairs({data, data.parse_json, print, require}) do
  local ok, got = pcall(function() return item.__class__ or item.__globals__ or item.__self__ end)
  if ok and got ~= nil then return "ESCAPED: " .. tostring(got) end
end
return "safe"
