-- Operators beyond those of numbers: + - * and the comparisons, as metamethods of every type.

local R = ...

local type, getmetatable, setmetatable, error, math_type = type, getmetatable, setmetatable, error, math.type
local L, CODE, ARR, CHAR = R.L, R.CODE, R.ARR, R.CHAR
local type_name, kind_of, fail, chars = R.type_name, R.kind_of, R.fail, R.chars
local move = table.move

-- int32 arithmetic wraps
local function wrapped_char(code)
  if code < -0x80000000 or code > 0x7FFFFFFF then
    code = (code + 0x80000000 & 0xFFFFFFFF) - 0x80000000
  end
  return chars[code]
end
R.wrapped_char = wrapped_char

local function invalid(a, op, b)
  error("\1e\1invalid operation: " .. type_name(a) .. " " .. op .. " " .. type_name(b), 0)
end
R.invalid = invalid

local function joined_text(a, b)
  if #a + #b > R.max_string then
    fail("exceeding string size limit")
  end
  return a .. b
end

local function joined_lists(a, b)
  local n, m = a[L], b[L]
  R.spend(n + m)
  local list = move(a, 0, n - 1, 0, {})
  for index = 0, m - 1 do
    list[n + index] = b[index]
  end
  list[L] = n + m
  return setmetatable(list, ARR)
end

function R.add(a, b)
  local t = type(a)
  if t == "string" then
    return joined_text(a, R.shown(b))
  elseif t == "table" then
    local mt = getmetatable(a)
    if mt == ARR then
      if getmetatable(b) == ARR and type(b) == "table" then
        return joined_lists(a, b)
      end
    elseif mt == CHAR then
      if math_type(b) == "integer" then
        return wrapped_char(a[CODE] + b)
      elseif kind_of(b) == "char" then
        return wrapped_char(a[CODE] + b[CODE])
      end
    elseif mt.kind == "immutable-array" then
      if kind_of(b) == "immutable-array" then
        return joined_lists(mt.__index, getmetatable(b).__index)
      end
    elseif mt.add then
      return mt.add(a, b)
    end
  elseif t == "number" then
    if type(b) == "number" then
      return a + b
    elseif math_type(a) == "integer" and kind_of(b) == "char" then
      return wrapped_char(a + b[CODE])
    end
  end
  invalid(a, "+", b)
end

function R.subtract(a, b)
  local kind = kind_of(a)
  if kind == "char" then
    if math_type(b) == "integer" then
      return wrapped_char(a[CODE] - b)
    elseif kind_of(b) == "char" then
      return wrapped_char(a[CODE] - b[CODE])
    end
  elseif math_type(a) == "integer" and kind_of(b) == "char" then
    return wrapped_char(a - b[CODE])
  elseif kind and getmetatable(a).subtract then
    return getmetatable(a).subtract(a, b)
  end
  invalid(a, "-", b)
end

function R.multiply(a, b)
  invalid(a, "*", b)
end

function R.negate(a)
  error("\1e\1invalid operation: -" .. type_name(a), 0)
end

local function less_number(a, b)
  return a < b
end

local function not_greater_number(a, b)
  return a <= b
end

local function comparison(op, compare)
  return function(a, b)
    local x, y = a, b
    local left, right = kind_of(a), kind_of(b)
    if left == "char" then
      x = a[CODE]
    end
    if right == "char" then
      y = b[CODE]
    end
    if math_type(x) == "integer" and math_type(y) == "integer" then
      return compare(x, y)
    elseif left == "time" and right == "time" then
      return getmetatable(a).compare(a, b, compare)
    end
    error("\1c\1" .. type_name(a) .. "\1" .. op .. "\1" .. type_name(b), 0)
  end
end
R.less, R.not_greater = comparison("<", less_number), comparison("<=", not_greater_number)

R.install_operators({
  __add = R.add,
  __sub = R.subtract,
  __mul = R.multiply,
  __unm = R.negate,
  __lt = R.less,
  __le = R.not_greater,
})
