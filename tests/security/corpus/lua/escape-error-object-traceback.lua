-- id: LUA-ESC-031
-- class: escape
-- tries: catch a host error and look for the live exception
-- expect: value "safe"

local ok, err = pcall(function() return data.parse_json("{") end)
if ok then return "ESCAPED: no error" end
if type(err) == "userdata" then return "ESCAPED: userdata" end
if type(err) == "table" then
  for key, part in pairs(err) do
    if type(part) == "userdata" then return "ESCAPED: userdata in it" end
  end
end
return "safe"
