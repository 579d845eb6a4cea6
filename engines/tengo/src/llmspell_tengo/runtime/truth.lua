-- Truth and length of any value.

local R = ...

local type, getmetatable, next, math_type = type, getmetatable, next, math.type
local L, CODE, ARR, MAP, CHAR, ERR = R.L, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR

local function truthy(v)
  if not v then
    return false
  end
  local t = type(v)
  if t == "number" then
    return math_type(v) == "float" and v == v or v ~= 0 and v == v
  elseif t == "string" then
    return v ~= ""
  elseif t == "table" then
    local mt = getmetatable(v)
    if mt == ARR then
      return v[L] > 0
    elseif mt == MAP then
      return next(v) ~= nil or R.undefined_keys[v] ~= nil and R.length(v) > 0
    elseif mt == CHAR then
      return v[CODE] ~= 0
    elseif mt == ERR then
      return false
    end
    if mt.immutable then
      return truthy(R.backing(v))
    end
    return mt.truth(v)
  end
  return true
end
R.truthy = truthy

-- the length of an array or string; of others, or the error, in another part
local function length(v)
  if type(v) == "string" then
    return #v
  elseif type(v) == "table" and getmetatable(v) == ARR then
    return v[L]
  end
  return R.other_length(v)
end
R.length = length

-- the value itself, read at this moment
function R.same(v)
  return v
end
