-- The builtin functions that tell types.

local R = ...

local type, getmetatable, next = type, getmetatable, next
local ARR, MAP, CHAR, ERR, type_name = R.ARR, R.MAP, R.CHAR, R.ERR, R.type_name

local function define(name, f)
  R["builtin_" .. name] = f
  R.names[f] = "builtin-function:" .. name
end

define("type_name", function(n, v)
  if n ~= 1 then
    R.bad_count("builtin-function:type_name")
  end
  return type_name(v)
end)

local function test(name, holds)
  local called = "builtin-function:" .. name
  define(name, function(n, v)
    if n ~= 1 then
      R.bad_count(called)
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

