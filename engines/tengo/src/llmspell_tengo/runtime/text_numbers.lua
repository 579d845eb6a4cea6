-- The functions of the module text for numbers and literals.

local R = ...

local type, next = type, next
local find, sub, format = string.find, string.sub, string.format
local concat = table.concat
local fail, spend = R.fail, R.spend

local members = {}
local define = R.definer(members)

local function limited(s)
  if #s > R.max_string then
    fail("exceeding string size limit")
  end
  return s
end
R.limited = limited

local function syntax_error(f, s, reason)
  return R.error_text("strconv." .. f .. ": parsing " .. R.quoted(s) .. ": " .. (reason or "invalid syntax"))
end

define("itoa", { "int" }, function(v)
  return format("%d", v)
end)
define("atoi", { "string" }, function(s)
  local v = R.parse_int(s)
  if v then
    return v
  end
  return syntax_error("Atoi", s, find(s, "^[+-]?%d+$") and "value out of range")
end)

local digits = "0123456789abcdefghijklmnopqrstuvwxyz"

define("format_int", { "exact_int", "int" }, function(v, base)
  if base < 2 or base > 36 then
    fail("strconv: illegal AppendInt/FormatInt base")
  elseif v == 0 then
    return "0"
  end
  local out, at = {}, 64
  local left = v
  while left ~= 0 do
    -- towards zero, also for the least integer
    local digit = math.fmod(left, base)
    left = (left - digit) // base
    digit = digit < 0 and -digit or digit
    out[at] = sub(digits, digit + 1, digit + 1)
    at = at - 1
  end
  return (v < 0 and "-" or "") .. concat(out, "", at + 1, 64)
end)

define("parse_int", { "exact_string", "int", "int" }, function(s, base, size)
  local result, reason = R.internal("parse_int", s, base, size), nil
  if type(result) == "string" then
    reason = result
  end
  return reason and syntax_error("ParseInt", s, reason) or result
end)

define("format_bool", { "exact_bool" }, function(v)
  return v and "true" or "false"
end)
local truths = { ["1"] = true, t = true, T = true, TRUE = true, ["true"] = true, True = true }
for _, word in next, { "0", "f", "F", "FALSE", "false", "False" } do
  truths[word] = false
end
define("parse_bool", { "exact_string" }, function(s)
  local v = truths[s]
  if v == nil then
    return syntax_error("ParseBool", s)
  end
  return v
end)

define("format_float", { "exact_float", "string", "int", "int" }, function(v, verb, precision, size)
  if size ~= 32 and size ~= 64 then
    fail("strconv: illegal AppendFloat/FormatFloat bitSize")
  elseif verb == "" then
    fail("runtime error: index out of range [0] with length 0")
  end
  verb = sub(verb, 1, 1)
  if size == 32 then
    return R.internal("format_float32", v, verb, precision)
  end
  return R.format_float(v, verb, precision)
end)
define("parse_float", { "exact_string", "int" }, function(s, size)
  local v, out_of_range = R.parse_float(s)
  if v and size == 32 then
    v = R.internal("float32", v)
    out_of_range = v == nil
  end
  if v then
    return v
  end
  return syntax_error("ParseFloat", s, out_of_range and "value out of range")
end)

define("quote", { "string" }, function(s)
  spend(#s // 4)
  return limited(R.quoted(s))
end)
define("unquote", { "string" }, function(s)
  local result = R.internal("unquote", s)
  return result == nil and R.error_text("invalid syntax") or result
end)

R.text_numbers = members
