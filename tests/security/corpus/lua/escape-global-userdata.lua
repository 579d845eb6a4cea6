-- id: LUA-ESC-022
-- class: escape
-- tries: find a Python object among everything reachable
-- expect: value "safe"

local function look(item, depth, seen)
  if type(item) == "userdata" then return item ~= null end
  if type(item) ~= "table" or depth > 6 or seen[item] then return false end
  seen[item] = true
  for key, part in next, item do
    if look(key, depth + 1, seen) or look(part, depth + 1, seen) then return true end
  end
  return false
end
return look(_G, 0, {}) and "ESCAPED" or "safe"
