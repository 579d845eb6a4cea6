-- The ground of the runtime, which every Tengo program stands on: types, the metatables of values, arrays and maps.
--
-- Representation: undefined is nil; int, float, bool and string are Lua's own; a char is one interned table per code
-- point; an array is a table with elements at 0..n-1 and its length under the private key L; a map is a plain table
-- of string keys. What Lua's operators cannot do natively they do through metatables, also those of numbers, strings,
-- booleans, nil and functions, which are set for the whole Lua state. Hence the runtime never writes s:method().
--
-- The other parts of the runtime are loaded when they are first needed: what R lacks, a task asks Python for. A part
-- puts the metamethods it brings into the metatables it is for.
--
-- table.move compares its tables, with ==, unless it moves downwards: it must not be used to move up.
--
-- Errors are raised as strings that begin with \1; the fields after it are told apart by Python:
--   \1e\1message                    a plain message
--   \1s\1message                    the same, reported for the caller of the innermost function
--   \1c\1left\1operator\1right      a comparison, whose operator the source may write the other way round
--   \1i\1base\1key                  indexing something that cannot be indexed

local R = ...

local type, getmetatable, setmetatable, rawget, rawset, next, select, error =
  type, getmetatable, setmetatable, rawget, rawset, next, select, error
local math_type = math.type

local L, OWN, CODE = {}, {}, {}
local ARR, MAP, CHAR, ERR = { kind = "array" }, { kind = "map" }, { kind = "char" }, { kind = "error" }
R.L, R.OWN, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR = L, OWN, CODE, ARR, MAP, CHAR, ERR
R.setmetatable, R.rawset, R.unpack, R.math_type, R.type, R.fmod =
  setmetatable, rawset, table.unpack, math_type, type, math.fmod

R.max_string, R.max_bytes = 2147483647, 2147483647
R.zero = 0
R.DEEPEST = 5000 -- how deep the runtime follows nested values
R.members = {} -- runtime modules' functions and constants, by module
local names = setmetatable({}, { __mode = "k" }) -- builtin and module functions: what type_name calls them
R.names = names
R.host_handles = setmetatable({}, { __mode = "k" }) -- host objects and functions: their wire form
R.task = false -- the one that is running

-- Maps whose values are undefined: Lua keeps no such keys, so they are noted here, by map.
local undefined_keys = setmetatable({}, { __mode = "k" })
R.undefined_keys = undefined_keys

local function fail(message)
  error("\1e\1" .. message, 0)
end
R.fail = fail

-- Types

local function type_name(v)
  local t = type(v)
  if t == "number" then
    return math_type(v) == "integer" and "int" or "float"
  elseif t == "string" then
    return "string"
  elseif t == "table" then
    return getmetatable(v).kind
  elseif t == "boolean" then
    return "bool"
  elseif t == "nil" then
    return "undefined"
  end
  return names[v] or "compiled-function"
end
R.type_name = type_name

local function kind_of(v)
  return type(v) == "table" and getmetatable(v).kind or nil
end
R.kind_of = kind_of

-- What the metatables of all types have in common

local function not_indexable(t, k)
  if k == OWN then
    return nil
  end
  error("\1i\1" .. type_name(t) .. "\1" .. type_name(k), 0)
end
R.not_indexable = not_indexable

local function not_assignable(t)
  error("\1e\1not index-assignable: " .. type_name(t), 0)
end
R.not_assignable = not_assignable

local function not_callable(f)
  error("\1e\1not callable: " .. type_name(f), 0)
end
R.not_callable = not_callable

local function invalid_index(k)
  error("\1e\1invalid index type: " .. type_name(k), 0)
end
R.invalid_index = invalid_index

-- operators: these fetch the real ones, which then take their place
local operators = {
  __add = function(a, b)
    return R.add(a, b)
  end,
  __sub = function(a, b)
    return R.subtract(a, b)
  end,
  __mul = function(a, b)
    return R.multiply(a, b)
  end,
  __unm = function(a)
    return R.negate(a)
  end,
  __lt = function(a, b)
    return R.less(a, b)
  end,
  __le = function(a, b)
    return R.not_greater(a, b)
  end,
}
local installed = {}

local function install(mt, index, assign, call)
  for name, f in next, operators do
    mt[name] = f
  end
  mt.__index, mt.__newindex, mt.__call = index, assign, call
  installed[#installed + 1] = mt
  return mt
end
R.install = install

-- give all metatables, present and future, an operator
function R.install_operators(real)
  for name, f in next, real do
    operators[name] = f
    for index = 1, #installed do
      installed[index][name] = f
    end
  end
end

for _, sample in next, { 0, true, "" } do
  debug.setmetatable(sample, install({}, not_indexable, not_assignable, not_callable))
end
debug.setmetatable(nil, install({}, function()
  return nil
end, not_assignable, not_callable))
debug.setmetatable(type, install({}, not_indexable, not_assignable))

R.STRING = getmetatable("")
R.STRING.__index = function(s, k)
  if k == OWN then
    return nil
  end
  return R.char_at(s, k)
end

local function equal(a, b)
  return R.equal(a, b)
end

install(ARR, function(_, k)
  if math_type(k) == "integer" or k == OWN then
    return nil
  end
  invalid_index(k)
end, function(t, k, v)
  if math_type(k) ~= "integer" then
    if k == OWN then
      rawset(t, k, v)
      return
    end
    k = R.to_int(k)
    if not k then
      fail("invalid index type")
    end
  end
  if k < 0 or k >= t[L] then
    fail("index out of bounds")
  end
  rawset(t, k, v)
end, not_callable)
ARR.shape, ARR.__eq = "list", equal

install(MAP, function(t, k)
  if type(k) == "string" or k == OWN then
    return nil
  elseif k == nil then
    invalid_index(k)
  end
  return rawget(t, R.shown(k))
end, function(t, k, v)
  if type(k) ~= "string" then
    if k == nil then
      fail("invalid index type")
    end
    k = R.shown(k)
  end
  rawset(t, k, v)
end, not_callable)
MAP.shape, MAP.__eq = "map", equal

-- Arrays

function R.list(n, t)
  t[L] = n
  return setmetatable(t, ARR)
end
