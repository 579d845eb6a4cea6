-- The builtin functions. As every function of a program, they take the number of their arguments first.

local R = ...

local type, getmetatable, setmetatable, rawget, rawset, next, select = type, getmetatable, setmetatable, rawget, rawset, next, select
local math_type, tointeger, ceil, floor = math.type, math.tointeger, math.ceil, math.floor
local find, gsub, lower, sub = string.find, string.gsub, string.lower, string.sub
local move = table.move
local L, CODE, ARR, MAP, CHAR, ERR = R.L, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR
local kind_of, type_name, fail, backing, chars = R.kind_of, R.type_name, R.fail, R.backing, R.chars
local bad_argument, bad_count, shown = R.bad_argument, R.bad_count, R.shown

local function define(name, f)
  R["builtin_" .. name] = f
  R.names[f] = "builtin-function:" .. name
end

-- Conversions, nil where there is none

-- as Go's int64(f) does on amd64: towards zero, and the least integer for what does not fit
local function truncated(v)
  if v >= -0x1p63 and v < 0x1p63 then
    return tointeger(v < 0 and ceil(v) or floor(v))
  end
  return math.mininteger
end
R.truncated = truncated

local function parse_int(s)
  if find(s, "^[+-]?%d+$") then
    local v = tonumber(sub(s, 1, 1) == "+" and sub(s, 2) or s)
    return math_type(v) == "integer" and v or nil
  end
end
R.parse_int = parse_int

local function to_int(v)
  local t = math_type(v)
  if t == "integer" then
    return v
  elseif t == "float" then
    return truncated(v)
  elseif type(v) == "string" then
    return parse_int(v)
  elseif type(v) == "boolean" then
    return v and 1 or 0
  elseif kind_of(v) == "char" then
    return v[CODE]
  end
end
R.to_int = to_int

local words = { inf = math.huge, infinity = math.huge, nan = 0 / 0 }

-- Go's ParseFloat; the second result is true if the value is beyond the range of a double
local function parse_float(s)
  local sign, rest = 1, s
  local first = sub(s, 1, 1)
  if first == "+" or first == "-" then
    sign, rest = first == "-" and -1 or 1, sub(s, 2)
  end
  local word = words[lower(rest)]
  if word then
    return sign * word
  end
  if find(rest, "_", 1, true) then
    if find(rest, "__", 1, true) or find(rest, "[^%x]_") and not find(rest, "^0[xX]_") or find(rest, "_[^%x]")
      or find(rest, "^_") or find(rest, "_$")
    then
      return nil
    end
    rest = gsub(rest, "_", "")
  end
  if find(rest, "^0[xX]") then
    if not (find(rest, "^0[xX]%x+%.?%x*[pP][+-]?%d+$") or find(rest, "^0[xX]%.%x+[pP][+-]?%d+$")) then
      return nil
    end
  elseif not (find(rest, "^%d+%.?%d*$") or find(rest, "^%.%d+$") or find(rest, "^%d+%.?%d*[eE][+-]?%d+$")
    or find(rest, "^%.%d+[eE][+-]?%d+$"))
  then
    return nil
  end
  local v = tonumber(rest) + 0.0
  if v == math.huge then
    return nil, true
  end
  return sign * v
end
R.parse_float = parse_float

local function to_float(v)
  if type(v) == "number" then
    return v + 0.0
  elseif type(v) == "string" then
    return (parse_float(v))
  end
end
R.to_float = to_float

local function conversion(name, kind, convert)
  local called = "builtin-function:" .. name
  define(name, function(n, v, default)
    if n ~= 1 and n ~= 2 then
      bad_count(called)
    elseif type_name(v) == kind then
      return v
    end
    local converted = convert(v)
    if converted == nil and n == 2 then
      return default
    end
    return converted
  end)
end

conversion("int", "int", to_int)
conversion("float", "float", to_float)
conversion("char", "char", function(v)
  if math_type(v) == "integer" then
    return R.wrapped_char(v)
  end
end)
conversion("string", "string", function(v)
  if v ~= nil then
    local s = shown(v)
    if #s > R.max_string then
      fail("exceeding string size limit")
    end
    return s
  end
end)

define("bool", function(n, v)
  if n ~= 1 then
    bad_count("builtin-function:bool")
  end
  return R.truthy(v)
end)

-- Types

define("type_name", function(n, v)
  if n ~= 1 then
    bad_count("builtin-function:type_name")
  end
  return type_name(v)
end)

local function test(name, holds)
  local called = "builtin-function:" .. name
  define(name, function(n, v)
    if n ~= 1 then
      bad_count(called)
    end
    return holds(v)
  end)
end

for name, kind in next, {
  is_int = "int",
  is_float = "float",
  is_string = "string",
  is_bool = "bool",
  is_char = "char",
  is_bytes = "bytes",
  is_array = "array",
  is_immutable_array = "immutable-array",
  is_map = "map",
  is_immutable_map = "immutable-map",
  is_time = "time",
  is_error = "error",
  is_undefined = "undefined",
  is_function = "compiled-function",
} do
  test(name, function(v)
    return type_name(v) == kind
  end)
end

local iterable = {
  array = true,
  ["immutable-array"] = true,
  map = true,
  ["immutable-map"] = true,
  string = true,
  bytes = true,
  undefined = true,
}
test("is_iterable", function(v)
  return iterable[type_name(v)] == true
end)
test("is_callable", function(v)
  return type(v) == "function"
end)

function R.is_array(v)
  return type(v) == "table" and getmetatable(v) == ARR
end

function R.is_map(v)
  return type(v) == "table" and getmetatable(v) == MAP
end

function R.is_char(v)
  return type(v) == "table" and getmetatable(v) == CHAR
end

function R.is_error(v)
  return type(v) == "table" and getmetatable(v) == ERR
end

-- Containers

define("len", function(n, v)
  if n ~= 1 then
    bad_count("builtin-function:len")
  end
  return R.length(v)
end)

define("append", function(n, list, ...)
  if n < 2 then
    bad_count("builtin-function:append")
  end
  local kind = kind_of(list)
  if kind ~= "array" and kind ~= "immutable-array" then
    bad_argument("builtin-function:append", "first", "array", list)
  end
  local result, size = R.copied_list(backing(list), n - 1)
  if n == 2 then
    rawset(result, size, (...))
  else
    move({ ... }, 1, n - 1, size, result)
  end
  return result
end)

define("delete", function(n, map, key)
  if n ~= 2 then
    bad_count("builtin-function:delete")
  elseif kind_of(map) ~= "map" then
    bad_argument("builtin-function:delete", "first", "map", map)
  elseif type(key) ~= "string" then
    bad_argument("builtin-function:delete", "second", "string", key)
  end
  rawset(map, key, nil)
  local kept = R.undefined_keys[map]
  if kept then
    kept[key] = nil
  end
end)

define("splice", function(n, list, start, count, ...)
  if n == 0 then
    bad_count("builtin-function:splice")
  elseif kind_of(list) ~= "array" then
    bad_argument("builtin-function:splice", "first", "array", list)
  end
  local size = list[L]
  if n < 2 then
    start = 0
  elseif math_type(start) ~= "integer" then
    bad_argument("builtin-function:splice", "second", "int", start)
  elseif start < 0 or start > size then
    fail("index out of bounds")
  end
  if n < 3 then
    count = size
  elseif math_type(count) ~= "integer" then
    bad_argument("builtin-function:splice", "third", "int", count)
  elseif count < 0 then
    fail("index out of bounds")
  end
  if count > size - start then
    count = size - start
  end
  R.spend(size // 4)
  local removed = move(list, start, start + count - 1, 0, {})
  removed[L] = count
  local items = n > 3 and n - 3 or 0
  local result = size - count + items
  -- raw access: beyond the length an array refuses assignment
  local tail = move(list, start + count, size - 1, 1, {})
  for index = result, size - 1 do
    rawset(list, index, nil)
  end
  for index = 1, items do
    rawset(list, start + index - 1, (select(index, ...)))
  end
  for index = 1, size - start - count do
    rawset(list, start + items + index - 1, tail[index])
  end
  list[L] = result
  return setmetatable(removed, ARR)
end)

define("range", function(n, start, stop, step)
  if n < 2 or n > 3 then
    bad_count("builtin-function:range")
  elseif math_type(start) ~= "integer" then
    bad_argument("builtin-function:range", "start", "int", start)
  elseif math_type(stop) ~= "integer" then
    bad_argument("builtin-function:range", "stop", "int", stop)
  end
  if n == 2 then
    step = 1
  elseif math_type(step) ~= "integer" then
    bad_argument("builtin-function:range", "step", "int", step)
  elseif step <= 0 then
    fail("range step must be greater than 0")
  end
  local list, count = {}, 0
  local pending = 0
  for value = start, stop, start <= stop and step or -step do
    if value == stop then
      break
    end
    list[count] = value
    count = count + 1
    pending = pending + 1
    if pending == 1000 then
      R.spend(1000)
      pending = 0
    end
  end
  list[L] = count
  return setmetatable(list, ARR)
end)

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
    bad_count("builtin-function:copy")
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
    bad_count("builtin-function:freeze")
  end
  return freeze(v, 1)
end)
