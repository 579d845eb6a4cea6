-- Arrays made of arguments, and arrays that one variable extends in place.

local R = ...

local type, select, rawset, setmetatable = type, select, rawset, setmetatable
local L, OWN, ARR = R.L, R.OWN, R.ARR

-- n values as an array
function R.pack(n, ...)
  local list = { [L] = n > 0 and n or 0, select(2, ...) }
  list[0] = (...)
  return setmetatable(list, ARR)
end

-- x = append(x, v) where the variable is not yet the array's only owner
function R.grow(a, v)
  local list, n = R.appendable(a)
  rawset(list, n, v)
  rawset(list, OWN, true)
  return list
end

-- a growing array becomes known elsewhere
function R.share(v)
  if type(v) == "table" and v[OWN] then
    rawset(v, OWN, false)
  end
  return v
end

