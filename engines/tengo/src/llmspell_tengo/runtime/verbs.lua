-- Go's format verbs: one value, written as its verb and its flags say.

local R = ...

local type, rawget = type, rawget
local math_type = math.type
local byte, sub, rep, format, upper = string.byte, string.sub, string.rep, string.format, string.upper
local concat = table.concat
local fail, kind_of, type_name = R.fail, R.kind_of, R.type_name

-- out collects the parts of the text; the flags are those of the current verb
local out, count, total
local minus, plus, sharp, space, zero, width, precision

-- begin a text; returns what `finished` must be given, since one may be made inside another
function R.begin_text()
  local outer_out, outer_count, outer_total = out, count, total
  out, count, total = {}, 0, 0
  return outer_out, outer_count, outer_total
end

function R.finished(outer_out, outer_count, outer_total)
  local result = concat(out)
  out, count, total = outer_out, outer_count, outer_total
  return result
end

function R.set_flags(to_the_left, signed, alternate, spaced, with_zeros, least, most)
  minus, plus, sharp, space, zero = to_the_left, signed, alternate, spaced, with_zeros
  width, precision = least, most
end

local function write(s)
  total = total + #s
  if total > R.max_string then
    fail("exceeding string size limit")
  end
  count = count + 1
  out[count] = s
end

local function padding(n)
  if n > 0 then
    if total + n > R.max_string then
      fail("exceeding string size limit")
    end
    R.spend(n // 16)
    write(rep(zero and "0" or " ", n))
  end
end

local function padded(s)
  if not width or width == 0 then
    write(s)
  elseif minus then
    write(s)
    padding(width - R.rune_count(s))
  else
    padding(width - R.rune_count(s))
    write(s)
  end
end

local function padded_with_spaces(s)
  local before = zero
  zero = false
  padded(s)
  zero = before
end

local function truncated(s)
  if not precision then
    return s
  end
  local left, at, size = precision, 1, #s
  while at <= size do
    left = left - 1
    if left < 0 then
      return sub(s, 1, at - 1)
    end
    local _, step = R.decode_rune(s, at)
    at = at + step
  end
  return s
end

local function write_text(s)
  padded(truncated(s))
end

local function binary(v)
  local digits = {}
  local at = 64
  repeat
    digits[at] = v & 1
    v = v >> 1
    at = at - 1
  until v == 0
  return concat(digits, "", at + 1, 64)
end

local patterns = { [8] = "%o", [16] = "%x" }

local function write_integer(v, base, verb, capital)
  local negative = v < 0
  local digits
  if base == 10 then
    digits = format("%d", v)
    if negative then
      digits = sub(digits, 2)
    end
  else
    if negative then
      v = -v
    end
    digits = base == 2 and binary(v) or format(patterns[base], v)
    if capital then
      digits = upper(digits)
    end
  end
  local least = 0
  if precision then
    least = precision
    if least == 0 and v == 0 then
      local before = zero
      zero = false
      padding(width or 0)
      zero = before
      return
    end
  elseif zero and width then
    least = width
    if negative or plus or space then
      least = least - 1
    end
  end
  if least > #digits then
    digits = rep("0", least - #digits) .. digits
  end
  if sharp then
    if base == 2 then
      digits = "0b" .. digits
    elseif base == 8 and byte(digits) ~= 48 then
      digits = "0" .. digits
    elseif base == 16 then
      digits = (capital and "0X" or "0x") .. digits
    end
  end
  if verb == "O" then
    digits = "0o" .. digits
  end
  padded_with_spaces((negative and "-" or plus and "+" or space and " " or "") .. digits)
end

local function write_unicode(v)
  local digits = format("%X", v)
  local least = precision and precision > 4 and precision or 4
  if #digits < least then
    digits = rep("0", least - #digits) .. digits
  end
  digits = "U+" .. digits
  if sharp and v >= 0 and v <= 0x10FFFF and R.internal("printable", v) then
    digits = digits .. " '" .. R.char_text(v) .. "'"
  end
  padded_with_spaces(digits)
end

local write_value

local function bad_verb(verb, v)
  write("%!")
  write(verb)
  write("(")
  write(R.text(v))
  write("=")
  write_value(v, "v")
  write(")")
end

local function format_integer(v, verb)
  if verb == "d" then
    write_integer(v, 10, verb)
  elseif verb == "b" then
    write_integer(v, 2, verb)
  elseif verb == "o" or verb == "O" then
    write_integer(v, 8, verb)
  elseif verb == "x" or verb == "X" then
    write_integer(v, 16, verb, verb == "X")
  elseif verb == "c" then
    padded(R.char_text(v))
  elseif verb == "q" and v >= 0 and v <= 0x10FFFF then
    padded(R.internal("quote_char", v, plus))
  elseif verb == "U" then
    write_unicode(v)
  else
    bad_verb(verb, v)
  end
end

-- with # a decimal point is always there, and g keeps its zeros
local function sharpened(number, verb, digits)
  local significant = 0
  if verb == "g" or verb == "G" or verb == "x" then
    significant = digits == -1 and 6 or digits
  end
  local tail, point = "", false
  local at = 2
  while at <= #number do
    local c = sub(number, at, at)
    if c == "." then
      point = true
    elseif c == "p" or c == "P" or (c == "e" or c == "E") and verb ~= "x" and verb ~= "X" then
      tail = sub(number, at)
      number = sub(number, 1, at - 1)
      break
    else
      significant = significant - 1
    end
    at = at + 1
  end
  if not point then
    number = number .. "."
  end
  return number .. rep("0", significant) .. tail
end

local function write_float(v, verb, digits)
  digits = precision or digits
  local number = R.format_float(v, verb, digits)
  local first = byte(number)
  if first ~= 45 and first ~= 43 then
    number = "+" .. number
  end
  if space and byte(number) == 43 and not plus then
    number = " " .. sub(number, 2)
  end
  local second = byte(number, 2)
  if second == 73 or second == 78 then
    if second == 78 and not space and not plus then
      number = sub(number, 2)
    end
    padded_with_spaces(number)
    return
  end
  if sharp and verb ~= "b" then
    number = sharpened(number, verb, digits)
  end
  if plus or byte(number) ~= 43 then
    if zero and width and width > #number then
      write(sub(number, 1, 1))
      padding(width - #number)
      write(sub(number, 2))
    else
      padded(number)
    end
    return
  end
  padded(sub(number, 2))
end

local function format_float(v, verb)
  if verb == "b" or verb == "g" or verb == "G" or verb == "x" or verb == "X" then
    write_float(v, verb, -1)
  elseif verb == "f" or verb == "e" or verb == "E" then
    write_float(v, verb, 6)
  elseif verb == "F" then
    write_float(v, "f", 6)
  else
    bad_verb(verb, v)
  end
end

local function write_hex(s, capital)
  local size = #s
  if precision and precision < size then
    size = precision
  end
  if size == 0 then
    padding(width or 0)
    return
  end
  local prefix = sharp and (capital and "0X" or "0x") or ""
  local pattern = capital and "%02X" or "%02x"
  local parts = {}
  for index = 1, size do
    parts[index] = (space and prefix or "") .. format(pattern, byte(s, index))
  end
  R.spend(size)
  local joined = space and concat(parts, " ") or prefix .. concat(parts)
  local missing = (width or 0) - #joined
  if not minus then
    padding(missing)
  end
  write(joined)
  if minus then
    padding(missing)
  end
end

local function write_quoted(s)
  s = truncated(s)
  if sharp and R.internal("can_backquote", s) then
    padded("`" .. s .. "`")
  elseif plus then
    padded(R.internal("quote", s, true))
  else
    padded(R.quoted(s))
  end
end

local function format_text(s, verb, v)
  if verb == "s" then
    write_text(s)
  elseif verb == "x" or verb == "X" then
    write_hex(s, verb == "X")
  elseif verb == "q" then
    write_quoted(s)
  else
    bad_verb(verb, v)
  end
end

local function format_bytes(s, verb)
  if verb == "s" then
    write_text(s)
  elseif verb == "x" or verb == "X" then
    write_hex(s, verb == "X")
  elseif verb == "q" then
    write_quoted(s)
  elseif verb == "d" then
    write("[")
    for index = 1, #s do
      if index > 1 then
        write(" ")
      end
      write_integer(byte(s, index), 10, verb)
    end
    write("]")
  end
end

function write_value(v, verb)
  if verb == "T" then
    write_text(type_name(v))
  elseif verb == "v" then
    write_text(R.text(v))
  elseif type(v) == "boolean" then
    if verb == "t" then
      padded(v and "true" or "false")
    else
      bad_verb(verb, v)
    end
  elseif math_type(v) == "integer" then
    format_integer(v, verb)
  elseif math_type(v) == "float" then
    format_float(v, verb)
  elseif type(v) == "string" then
    format_text(v, verb, v)
  elseif kind_of(v) == "bytes" then
    format_bytes(rawget(v, R.DATA), verb)
  else
    format_text(R.text(v), verb, v)
  end
end

R.write_part, R.write_value = write, write_value
