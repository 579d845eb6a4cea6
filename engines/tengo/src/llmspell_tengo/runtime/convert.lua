-- Conversions between types, and the builtin functions that are named after types.

local R = ...

local type, math_type, tointeger, ceil, floor = type, math.type, math.tointeger, math.ceil, math.floor
local find, gsub, lower, sub = string.find, string.gsub, string.lower, string.sub
local CODE, kind_of, type_name = R.CODE, R.kind_of, R.type_name

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
      R.bad_count(called)
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
    local s = R.shown(v)
    if #s > R.max_string then
      R.fail("exceeding string size limit")
    end
    return s
  end
end)

define("bool", function(n, v)
  if n ~= 1 then
    R.bad_count("builtin-function:bool")
  end
  return R.truthy(v)
end)

