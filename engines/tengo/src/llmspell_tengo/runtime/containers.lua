-- Arrays and maps: equality, undefined values in maps, lengths, copies, slices.

local R = ...

local type, getmetatable, setmetatable, rawget, rawset, next, select =
  type, getmetatable, setmetatable, rawget, rawset, next, select
local math_type, move, format = math.type, table.move, string.format
local L, ARR, MAP, fail, kind_of, type_name = R.L, R.ARR, R.MAP, R.fail, R.kind_of, R.type_name
local undefined_keys = R.undefined_keys

-- Undefined values in maps

local function keep_key(map, key)
  local kept = undefined_keys[map]
  if not kept then
    kept = {}
    undefined_keys[map] = kept
  end
  kept[key] = true
end

-- a map literal whose values for the keys given may be undefined
function R.keep_keys(map, ...)
  for index = 1, select("#", ...) do
    local key = select(index, ...)
    if rawget(map, key) == nil then
      keep_key(map, key)
    end
  end
  return map
end

-- t[k] = undefined
function R.set_undefined(t, k)
  if type(t) == "table" and getmetatable(t) == MAP then
    if type(k) ~= "string" then
      if k == nil then
        fail("invalid index type")
      end
      k = R.shown(k)
    end
    rawset(t, k, nil)
    keep_key(t, k)
    return
  end
  t[k] = nil
end

local function count_keys(map)
  local count = 0
  for _ in next, map do
    count = count + 1
  end
  local kept = undefined_keys[map]
  if kept then
    for key in next, kept do
      if rawget(map, key) == nil then
        count = count + 1
      end
    end
  end
  R.spend(count // 8)
  return count
end
R.count_keys = count_keys

local function has_key(map, key)
  if rawget(map, key) ~= nil then
    return true
  end
  local kept = undefined_keys[map]
  return kept ~= nil and kept[key] == true
end
R.has_key = has_key

function R.other_length(v)
  local mt = type(v) == "table" and getmetatable(v)
  if mt == MAP then
    return count_keys(v)
  elseif mt and mt.immutable then
    return R.length(R.backing(v))
  elseif mt and mt.length then
    return mt.length(v)
  end
  R.bad_argument("builtin-function:len", "first", "array/string/bytes/map", v)
end

-- Equality: == compares these by content

local function equal_lists(a, b)
  local n = a[L]
  if n ~= b[L] then
    return false
  end
  R.spend(n // 4)
  for index = 0, n - 1 do
    if a[index] ~= b[index] then
      return false
    end
  end
  return true
end

local function equal_maps(a, b)
  if count_keys(a) ~= count_keys(b) then
    return false
  end
  for key, value in next, a do
    if b[key] ~= value then
      return false
    end
  end
  local kept = undefined_keys[a]
  if kept then
    for key in next, kept do
      if rawget(a, key) == nil and (rawget(b, key) ~= nil or not has_key(b, key)) then
        return false
      end
    end
  end
  return true
end

-- the mutable list or map behind an immutable one
local function backing(v)
  local mt = getmetatable(v)
  if not mt.immutable then
    return v
  end
  return mt.thing and R.members_of(v) or mt.__index
end
R.backing = backing

function R.equal(a, b)
  local left, right = getmetatable(a).shape, getmetatable(b).shape
  if left ~= right then
    return false
  elseif left == "list" then
    return equal_lists(backing(a), backing(b))
  elseif left == "map" then
    return equal_maps(backing(a), backing(b))
  end
  return getmetatable(a).equal(a, b)
end

for _, mt in next, { ARR, MAP } do
  mt.__eq = R.equal
end

local function copied_list(a, extra)
  local n = a[L]
  R.spend(n // 4)
  local list = move(a, 0, n - 1, 0, {})
  list[L] = n + extra
  return setmetatable(list, ARR), n
end
R.copied_list = copied_list

-- a copy that one element more can be stored in, for append; and the index of that element
function R.appendable(a)
  local kind = kind_of(a)
  if kind ~= "array" and kind ~= "immutable-array" then
    R.bad_argument("builtin-function:append", "first", "array", a)
  end
  return copied_list(backing(a), 1)
end

function R.slice(v, low, high)
  if type(v) == "string" then
    return R.slice_text(v, low, high)
  end
  if low == nil then
    low = 0
  elseif math_type(low) ~= "integer" then
    fail("invalid slice index type: " .. type_name(low))
  end
  local n
  local mt = type(v) == "table" and getmetatable(v)
  if mt == ARR then
    n = v[L]
  elseif mt and mt.slice or mt and mt.kind == "immutable-array" then
    n = R.length(v)
  else
    fail("not indexable: " .. type_name(v))
  end
  if high == nil then
    high = n
  elseif math_type(high) ~= "integer" then
    fail("invalid slice index type: " .. type_name(high))
  end
  if low > high then
    fail(format("invalid slice index: %d > %d", low, high))
  end
  low = low < 0 and 0 or low > n and n or low
  high = high < 0 and 0 or high > n and n or high
  if mt.slice then
    return mt.slice(v, low, high)
  end
  R.spend((high - low) // 4)
  local list = move(backing(v), low, high - 1, 0, {})
  list[L] = high - low
  return setmetatable(list, ARR)
end

