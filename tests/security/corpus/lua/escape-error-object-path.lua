-- id: LUA-ESC-032
-- class: escape
-- tries: look for host paths and reprs in an error
-- expect: value "safe"

local ok, err = pcall(function() return data.get_path(1, 2, 3, 4, 5) end)
local text = tostring(type(err) == "table" and err.message or err)
if text:find("Traceback", 1, true) or text:find(".py", 1, true) or text:find("0x", 1, true) or text:find("site-packages", 1, true) then
  return "ESCAPED: " .. text
end
return "safe"
