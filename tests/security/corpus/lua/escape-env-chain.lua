-- id: LUA-ESC-021
-- class: escape
-- tries: climb from _ENV through metatables to the real globals
-- expect: value "safe"

local seen, todo = {}, {_G, _ENV, getmetatable("")}
for name, part in pairs(_G) do todo[#todo + 1] = part end
while #todo > 0 do
  local item = table.remove(todo)
  if (type(item) == "userdata" and item ~= null) or type(item) == "thread" then return "ESCAPED: a " .. type(item) end
  if type(item) == "table" and not seen[item] then
    seen[item] = true
    if rawget(item, "loadlib") or rawget(item, "sethook") or rawget(item, "popen") or rawget(item, "execute") then
      return "ESCAPED: a library"
    end
    for key, part in next, item do
      todo[#todo + 1] = key
      todo[#todo + 1] = part
    end
    local meta = getmetatable(item)
    if type(meta) == "table" then todo[#todo + 1] = meta end
  end
end
return "safe"
