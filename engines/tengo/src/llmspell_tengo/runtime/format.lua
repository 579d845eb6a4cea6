-- Go's formats, in the subset and with the peculiarities of the reference: which value is written by which verb.

local R = ...

local type = type
local tointeger = math.tointeger
local byte, sub, find = string.byte, string.sub, string.find
local type_name = R.type_name
local write, write_value, set_flags = R.write_part, R.write_value, R.set_flags

-- flags of the current verb
local minus, plus, sharp, space, zero, width, precision

local LARGEST <const> = 1000000

-- a decimal number at a position: the number, or nil, and where it ends
local function number_at(s, at)
  local _, stop = find(s, "^%d+", at)
  if not stop then
    return nil, at
  end
  local n = tointeger(tonumber(sub(s, at, stop)))
  if not n or n > LARGEST * 10 + 9 then
    return nil, #s + 1
  end
  return n, stop + 1
end

local reordered, good_index

-- "[3]" at a position: the index of the argument, where it ends, whether it was there
local function argument_index(index, s, at, n)
  if byte(s, at) ~= 91 then
    return index, at, false
  end
  reordered = true
  local close = find(s, "]", at, true)
  if #s - at + 1 < 3 or not close then
    good_index = false
    return index, at + 1, false
  end
  local number, stop = number_at(s, at + 1)
  if not number or stop ~= close then
    good_index = false
    return index, close + 1, false
  end
  if number >= 1 and number <= n then
    return number, close + 1, true
  end
  good_index = false
  return index, close + 1, true
end

local function integer_argument(args, index, n)
  if index > n then
    return nil, index
  end
  local v = R.to_int(args[index])
  if v and (v > LARGEST or v < -LARGEST) then
    v = nil
  end
  return v, index + 1
end

local flags = {
  [35] = function()
    sharp = true
  end,
  [48] = function()
    zero = not minus
  end,
  [43] = function()
    plus = true
  end,
  [45] = function()
    minus, zero = true, false
  end,
  [32] = function()
    space = true
  end,
}

local function read_width(s, at, args, index, n, after_index)
  if byte(s, at) == 42 then
    width, index = integer_argument(args, index, n)
    if not width then
      write("%!(BADWIDTH)")
    elseif width < 0 then
      width, minus, zero = -width, true, false
    end
    return at + 1, index, false
  end
  width, at = number_at(s, at)
  if after_index and width then
    good_index = false
  end
  return at, index, after_index
end

local function read_precision(s, at, args, index, n, after_index)
  if at >= #s or byte(s, at) ~= 46 then
    return at, index, after_index
  end
  at = at + 1
  if after_index then
    good_index = false
  end
  index, at, after_index = argument_index(index, s, at, n)
  if byte(s, at) == 42 then
    precision, index = integer_argument(args, index, n)
    if precision and precision < 0 then
      precision = nil
    end
    if not precision then
      write("%!(BADPREC)")
    end
    return at + 1, index, false
  end
  precision, at = number_at(s, at)
  precision = precision or 0
  return at, index, after_index
end

-- one verb, from after its % on; returns where it ends and the next argument
local function one_verb(s, at, args, index, n)
  local letter = byte(s, at)
  if letter and letter >= 97 and letter <= 122 and index <= n then -- nothing but a verb
    set_flags(false, false, false, false, false)
    write_value(args[index], sub(s, at, at))
    return at + 1, index + 1
  end
  minus, plus, sharp, space, zero = false, false, false, false, false
  width, precision = nil, nil
  while flags[byte(s, at)] do
    flags[byte(s, at)]()
    at = at + 1
  end
  local after_index
  index, at, after_index = argument_index(index, s, at, n)
  at, index, after_index = read_width(s, at, args, index, n, after_index)
  at, index, after_index = read_precision(s, at, args, index, n, after_index)
  if not after_index then
    index, at = argument_index(index, s, at, n)
  end
  if at > #s then
    write("%!(NOVERB)")
    return at, index
  end
  local _, step = R.decode_rune(s, at)
  local verb = sub(s, at, at + step - 1)
  at = at + step
  if verb == "%" then
    write("%")
  elseif not good_index then
    write("%!" .. verb .. "(BADINDEX)")
  elseif index > n then
    write("%!" .. verb .. "(MISSING)")
  else
    if verb == "v" then
      sharp, plus = false, false
    end
    set_flags(minus, plus, sharp, space, zero, width, precision)
    write_value(args[index], verb)
    index = index + 1
  end
  return at, index
end

function R.sprintf(s, n, ...)
  local args = { ... }
  local outer_out, outer_count, outer_total = R.begin_text()
  reordered = false
  local index, at, size = 1, 1, #s
  while at <= size do
    good_index = true
    local percent = find(s, "%", at, true)
    if not percent then
      write(sub(s, at))
      break
    end
    if percent > at then
      write(sub(s, at, percent - 1))
    end
    at, index = one_verb(s, percent + 1, args, index, n)
  end
  if not reordered and index <= n then
    R.set_flags(false, false, false, false, false)
    write("%!(EXTRA ")
    for each = index, n do
      if each > index then
        write(", ")
      end
      write(type_name(args[each]))
      write("=")
      write_value(args[each], "v")
    end
    write(")")
  end
  return R.finished(outer_out, outer_count, outer_total)
end

-- format(...) and its likes in modules
function R.formatted(called, n, s, ...)
  if n == 0 then
    R.bad_count(called)
  elseif type(s) ~= "string" then
    R.bad_argument(called, "format", "string", s)
  elseif n == 1 then
    return s
  end
  return R.sprintf(s, n - 1, ...)
end

local function builtin_format(n, ...)
  return R.formatted("builtin-function:format", n, ...)
end
R.builtin_format = builtin_format
R.names[builtin_format] = "builtin-function:format"
