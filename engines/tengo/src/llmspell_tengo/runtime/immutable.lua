-- Immutable values: an empty table before the mutable one, which reads go through to.

local R = ...

local type, getmetatable, setmetatable = type, getmetatable, setmetatable
local ARR, MAP = R.ARR, R.MAP

local function equal(a, b)
  return R.equal(a, b)
end

local function metatable(kind, shape, value)
  local mt = R.install({ kind = kind, shape = shape, immutable = true }, value, R.not_assignable, R.not_callable)
  mt.__eq = equal
  return mt
end

function R.immutable(v)
  local mt = type(v) == "table" and getmetatable(v)
  if mt == ARR then
    return setmetatable({}, metatable("immutable-array", "list", v))
  elseif mt == MAP then
    return setmetatable({}, metatable("immutable-map", "map", v))
  end
  return v
end
