-- Text of floats.

local R = ...

local byte, find, format, rep, sub = string.byte, string.find, string.format, string.rep, string.sub
local floor, huge = math.floor, math.huge

-- digits and decimal exponent of a finite, positive float: 0.ddd * 10^exponent, with as few digits as identify it
local function shortest(v)
  for precision = v < 2.3e-308 and 1 or 15, 17 do
    local text = format("%." .. precision - 1 .. "e", v)
    if tonumber(text) == v then
      local point = find(text, "e", 1, true)
      local digits = sub(text, 1, 1) .. sub(text, 3, point - 1)
      local last = #digits
      while last > 1 and byte(digits, last) == 48 do
        last = last - 1
      end
      return sub(digits, 1, last), tonumber(sub(text, point + 1)) + 1
    end
  end
end
R.shortest = shortest

-- what is written without digits, or nil
local function unusual(v)
  if v ~= v then
    return "NaN"
  elseif v == huge then
    return "+Inf"
  elseif v == -huge then
    return "-Inf"
  end
end

-- 0.ddd * 10^exponent without an exponent
local function plain(sign, digits, exponent)
  if exponent <= 0 then
    return sign .. "0." .. rep("0", -exponent) .. digits
  elseif exponent >= #digits then
    return sign .. digits .. rep("0", exponent - #digits)
  end
  return sign .. sub(digits, 1, exponent) .. "." .. sub(digits, exponent + 1)
end
R.unusual_float, R.plain_float = unusual, plain

local function float_text(v)
  if v == floor(v) and v > -1e15 and v < 1e15 then
    return format("%.0f", v)
  end
  local text = unusual(v)
  if text then
    return text
  end
  return plain(v < 0 and "-" or "", shortest(v < 0 and -v or v))
end
R.float_text = float_text

