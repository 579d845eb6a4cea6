-- Division and remainder, which Lua rounds another way, and the bit operations, which Lua does on strings too.

local R = ...

local math_type, fmod, error = math.type, math.fmod, error
local fail, type_name = R.fail, R.type_name

local function invalid(a, op, b)
  R.invalid(a, op, b)
end

function R.idiv(a, b)
  if b == 0 then
    fail("runtime error: integer divide by zero")
  end
  local q = a // b
  if q < 0 and q * b ~= a then
    return q + 1
  end
  return q
end
local idiv = R.idiv

function R.div(a, b)
  local s, t = math_type(a), math_type(b)
  if s == "integer" and t == "integer" then
    return idiv(a, b)
  elseif s and t then
    return a / b
  end
  invalid(a, "/", b)
end

function R.rem(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "%", b)
  elseif b == 0 then
    fail("runtime error: integer divide by zero")
  end
  return fmod(a, b)
end

function R.band(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "&", b)
  end
  return a & b
end

function R.bor(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "|", b)
  end
  return a | b
end

function R.bxor(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "^", b)
  end
  return a ~ b
end

function R.bclear(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "&^", b)
  end
  return a & ~b
end

function R.shl(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "<<", b)
  end
  return b < 0 and 0 or a << b
end

function R.shr(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, ">>", b)
  elseif b < 0 or b > 63 then
    return a < 0 and -1 or 0
  end
  return b == 63 and (a < 0 and -1 or 0) or a // (1 << b)
end

function R.bnot(a)
  if math_type(a) ~= "integer" then
    error("\1e\1invalid operation: ^" .. type_name(a), 0)
  end
  return ~a
end

function R.never_equal()
  return false
end

function R.always_unequal()
  return true
end

