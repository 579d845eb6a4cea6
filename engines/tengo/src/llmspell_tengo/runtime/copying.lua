-- Deep copies: copy and freeze.

local R = ...

local type, getmetatable, setmetatable, rawget, next = type, getmetatable, setmetatable, rawget, next
local L, ARR, MAP, ERR = R.L, R.ARR, R.MAP, R.ERR
local backing, fail = R.backing, R.fail

local function define(name, f)
  R["builtin_" .. name] = f
  R.names[f] = "builtin-function:" .. name
end

-- a deep copy; immutable containers become mutable ones
local function copy(v, depth)
  if type(v) ~= "table" then
    return v
  elseif depth > R.DEEPEST then
    fail("value is nested too deep")
  end
  local mt = getmetatable(v)
  if mt.shape == "list" then
    v = backing(v)
    local list, n = {}, v[L]
    R.spend(n // 4)
    for index = 0, n - 1 do
      list[index] = copy(v[index], depth + 1)
    end
    list[L] = n
    return setmetatable(list, ARR)
  elseif mt.shape == "map" then
    v = backing(v)
    local map, count = {}, 0
    for key, value in next, v do
      map[key] = copy(value, depth + 1)
      count = count + 1
    end
    R.spend(count // 4)
    setmetatable(map, MAP)
    local kept = R.undefined_keys[v]
    if kept then
      for key in next, kept do
        R.keep_keys(map, key)
      end
    end
    return map
  elseif mt == ERR then
    return R.error_value(copy(rawget(v, ERR), depth + 1))
  elseif mt.copy then
    return mt.copy(v)
  end
  return v
end
R.copy = copy

define("copy", function(n, v)
  if n ~= 1 then
    R.bad_count("builtin-function:copy")
  end
  return copy(v, 1)
end)

-- a deep copy of which everything is immutable
local function freeze(v, depth)
  if type(v) ~= "table" then
    return v
  elseif depth > R.DEEPEST then
    fail("value is nested too deep")
  end
  local mt = getmetatable(v)
  if mt.shape == "list" then
    v = backing(v)
    local list, n = {}, v[L]
    R.spend(n)
    for index = 0, n - 1 do
      list[index] = freeze(v[index], depth + 1)
    end
    list[L] = n
    return R.immutable(setmetatable(list, ARR))
  elseif mt.shape == "map" then
    v = backing(v)
    local map = {}
    for key, value in next, v do
      map[key] = freeze(value, depth + 1)
      R.spend(1)
    end
    setmetatable(map, MAP)
    local kept = R.undefined_keys[v]
    if kept then
      for key in next, kept do
        R.keep_keys(map, key)
      end
    end
    return R.immutable(map)
  end
  return v
end

define("freeze", function(n, v)
  if n ~= 1 then
    R.bad_count("builtin-function:freeze")
  end
  return freeze(v, 1)
end)
