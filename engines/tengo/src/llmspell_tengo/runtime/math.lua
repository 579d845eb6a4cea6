-- The module math. What Lua's own library lacks, Python computes.

local R = ...

local floor, ceil, abs, sqrt, log, exp, fmod = math.floor, math.ceil, math.abs, math.sqrt, math.log, math.exp, math.fmod
local huge, tointeger, math_type = math.huge, math.tointeger, math.type
local nan = 0.0 / 0.0

local members = {
  e = 2.71828182845904523536,
  pi = math.pi,
  phi = 1.61803398874989484820,
  sqrt2 = 1.41421356237309504880,
  sqrtE = 1.64872127070012814684,
  sqrtPi = 1.77245385090551602729,
  sqrtPhi = 1.27201964951406896425,
  ln2 = 0.693147180559945309417,
  log2E = 1 / 0.693147180559945309417,
  ln10 = 2.30258509299404568401,
  log10E = 1 / 2.30258509299404568401,
  maxFloat32 = 0x1p127 * (1 + (1 - 0x1p-23)),
  smallestNonzeroFloat32 = 0x1p-149,
  maxFloat64 = 0x1p1023 * (1 + (1 - 0x1p-52)),
  smallestNonzeroFloat64 = 0x1p-1074,
  maxInt = math.maxinteger,
  minInt = math.mininteger,
  maxInt8 = 127,
  minInt8 = -128,
  maxInt16 = 32767,
  minInt16 = -32768,
  maxInt32 = 2147483647,
  minInt32 = -2147483648,
  maxInt64 = math.maxinteger,
  minInt64 = math.mininteger,
}

local define = R.definer(members)

-- of one float; those of Lua's library take floats and give floats
for name, f in next, {
  abs = abs,
  acos = math.acos,
  asin = math.asin,
  atan = math.atan,
  cos = math.cos,
  exp = exp,
  log = log,
  sin = math.sin,
  sqrt = sqrt,
  tan = math.tan,
} do
  define(name, { "float" }, f)
end

-- keep infinities, NaN and the sign of zero
local function rounded(round)
  return function(v)
    if v ~= v or v == huge or v == -huge or v == 0 then
      return v
    end
    local r = round(v) + 0.0
    return r == 0 and v < 0 and -0.0 or r
  end
end
define("floor", { "float" }, rounded(floor))
define("ceil", { "float" }, rounded(ceil))
define("trunc", { "float" }, rounded(function(v)
  return v < 0 and ceil(v) or floor(v)
end))

define("log2", { "float" }, function(v)
  return log(v, 2)
end)
define("log10", { "float" }, function(v)
  return log(v, 10)
end)

for _, name in next, {
  "acosh",
  "asinh",
  "atanh",
  "cbrt",
  "cosh",
  "erf",
  "erfc",
  "exp2",
  "expm1",
  "gamma",
  "j0",
  "j1",
  "log1p",
  "logb",
  "sinh",
  "tanh",
  "y0",
  "y1",
} do
  define(name, { "float" }, function(v)
    return R.internal("math", name, v)
  end)
end

for _, name in next, { "nextafter", "remainder", "hypot" } do
  define(name, { "float", "float" }, function(a, b)
    return R.internal("math", name, a, b)
  end)
end

define("atan2", { "float", "float" }, math.atan)
define("pow", { "float", "float" }, function(a, b)
  return a ^ b
end)
define("mod", { "float", "float" }, function(a, b)
  if b == 0 or a == huge or a == -huge or a ~= a or b ~= b then
    return nan
  end
  return fmod(a, b)
end)
define("max", { "float", "float" }, function(a, b)
  if a == huge or b == huge then
    return huge
  elseif a ~= a or b ~= b then
    return nan
  elseif a == 0 and b == 0 then
    return 1 / a > 0 and a or b
  end
  return a > b and a or b
end)
define("min", { "float", "float" }, function(a, b)
  if a == -huge or b == -huge then
    return -huge
  elseif a ~= a or b ~= b then
    return nan
  elseif a == 0 and b == 0 then
    return 1 / a < 0 and a or b
  end
  return a < b and a or b
end)
define("dim", { "float", "float" }, function(a, b)
  local difference = a - b
  return difference <= 0 and 0.0 or difference
end)

local function negative(v)
  return v < 0 or v == 0 and 1 / v < 0
end
define("copysign", { "float", "float" }, function(a, b)
  a = abs(a)
  return negative(b) and -a or a
end)
define("signbit", { "float" }, negative)

define("inf", { "int" }, function(sign)
  return sign >= 0 and huge or -huge
end)
define("nan", {}, function()
  return nan
end)
define("is_nan", { "float" }, function(v)
  return v ~= v
end)
define("is_inf", { "float", "int" }, function(v, sign)
  return sign >= 0 and v == huge or sign <= 0 and v == -huge
end)

define("ilogb", { "float" }, function(v)
  return R.internal("math", "ilogb", v)
end)
define("ldexp", { "float", "int" }, function(v, power)
  return R.internal("math", "ldexp", v, power)
end)
define("pow10", { "int" }, function(power)
  if power < -323 then
    return 0.0
  elseif power > 308 then
    return huge
  end
  return tonumber("1e" .. power) + 0.0
end)
define("jn", { "int", "float" }, function(n, v)
  return R.internal("math", "jn", n, v)
end)
define("yn", { "int", "float" }, function(n, v)
  return R.internal("math", "yn", n, v)
end)

R.define_module("math", members)
