-- Floats, as strconv.FormatFloat writes them.

local R = ...

local sub, format, upper = string.sub, string.format, string.upper

local function exponent_text(exponent)
  local sign = exponent < 0 and "-" or "+"
  return sign .. format("%02d", exponent < 0 and -exponent or exponent)
end

-- the shortest digits that identify the value, in the form of verb e, f or g
local function shortest_text(v, verb)
  local sign = ""
  if v < 0 or 1 / v < 0 then
    sign, v = "-", -v
  end
  local digits, exponent = "0", 1
  if v ~= 0 then
    digits, exponent = R.shortest(v)
  end
  if verb == "g" then
    verb = (exponent < -3 or exponent > 6) and "e" or "f"
  end
  if verb == "e" then
    local rest = sub(digits, 2)
    return sign .. sub(digits, 1, 1) .. (rest ~= "" and "." .. rest or "") .. "e" .. exponent_text(exponent - 1)
  end
  return R.plain_float(sign, digits, exponent)
end

function R.format_float(v, verb, precision)
  local unusual = R.unusual_float(v)
  if unusual then
    return unusual
  end
  local plain = verb
  if verb == "E" or verb == "G" then
    plain = verb == "E" and "e" or "g"
  end
  if plain ~= "e" and plain ~= "f" and plain ~= "g" or precision > 99 then
    return R.internal("format_float", v, verb, precision)
  end
  local result
  if precision < 0 then
    result = shortest_text(v, plain)
  else
    result = format("%." .. precision .. plain, v)
  end
  return verb ~= plain and upper(result) or result
end
