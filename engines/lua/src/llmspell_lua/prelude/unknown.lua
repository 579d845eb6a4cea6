-- An unknown name, with a did-you-mean.

local P = ...
local next, tostring, type = next, tostring, type
local byte, lower = string.byte, string.lower
local concat, sort = table.concat, table.sort

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local corner, c = row[0], byte(a, i)
    row[0] = i
    for j = 1, #b do
      local least = c == byte(b, j) and corner or corner + 1
      corner = row[j]
      if row[j] < least then
        least = row[j] + 1
      end
      if row[j - 1] < least then
        least = row[j - 1] + 1
      end
      row[j] = least
    end
  end
  return row[#b]
end

local function nearest(name, names)
  local best, least = nil, #name // 3 + 1
  for i = 1, #names do
    local d = distance(lower(name), lower(names[i]))
    if d <= least and d < #name and (not best or d < least) then
      best, least = names[i], d
    end
  end
  return best
end

-- Raise an error for `key`, which is none of `known`.
return function(what, key, known)
  local names = {}
  for name in next, known do
    names[#names + 1] = name
  end
  sort(names)
  local near = type(key) == "string" and #key < 64 and nearest(key, names)
  local message = what .. " has no '" .. tostring(key) .. "'"
  if near then
    message = message .. "; did you mean '" .. near .. "'?"
  else
    message = message .. "; it has " .. concat(names, ", ")
  end
  return P.need("errors", "an error of the host").fail("unknown_method", message)
end
