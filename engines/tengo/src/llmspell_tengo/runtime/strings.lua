-- Strings by their runes and by their bytes.

local R = ...

local math_type, byte, sub, format = math.type, string.byte, string.sub, string.format
local utf8_len, codepoint = utf8.len, utf8.codepoint
local OWN, chars, fail, invalid_index = R.OWN, R.chars, R.fail, R.invalid_index

-- code point and width of the rune at a byte position; U+FFFD and 1 where there is none
function R.decode_rune(s, at)
  local lead = byte(s, at)
  local width = lead < 0x80 and 1 or lead < 0xC2 and 0 or lead < 0xE0 and 2 or lead < 0xF0 and 3 or lead < 0xF5 and 4
    or 0
  if width > 1 and at + width - 1 <= #s and utf8_len(s, at, at) then
    return codepoint(s, at), width
  elseif width == 1 then
    return lead, 1
  end
  return 0xFFFD, 1
end

-- how many runes a string has; a byte that begins none counts as one
function R.rune_count(s)
  local count = utf8_len(s)
  if count then
    return count
  end
  count = 0
  local at, size = 1, #s
  while at <= size do
    local _, width = R.decode_rune(s, at)
    at = at + width
    count = count + 1
  end
  return count
end

-- The string indexed last: whether it is ASCII, or its characters. Loops over a string index it again and again.
local last_string, last_ascii, last_chars

local function decoded(s)
  local list, count = {}, 0
  local at, size = 1, #s
  while at <= size do
    local lead = byte(s, at)
    if lead < 0x80 then
      list[count] = chars[lead]
      at = at + 1
    else
      local code, width = R.decode_rune(s, at)
      list[count] = chars[code]
      at = at + width
    end
    count = count + 1
  end
  R.spend(count)
  return list, count
end
R.decoded = decoded

local function char_at(s, k)
  if math_type(k) ~= "integer" then
    if k == OWN then
      return nil
    end
    invalid_index(k)
  elseif k < 0 then
    return nil
  end
  if s ~= last_string then
    last_string = s
    last_ascii = utf8_len(s) == #s
    last_chars = nil
  end
  if last_ascii then
    local code = byte(s, k + 1)
    return code and chars[code]
  end
  if not last_chars then
    last_chars = decoded(s)
  end
  return last_chars[k]
end
R.char_at = char_at

R.STRING.__index = char_at

-- s[low:high] of a string, with integers
local function slice_ints(s, low, high)
  if low > high then
    fail(format("invalid slice index: %d > %d", low, high))
  elseif high <= 0 or low >= #s then -- low + 1 may be beyond the largest integer
    return ""
  end
  return sub(s, low < 0 and 1 or low + 1, high)
end
R.slice_ints = slice_ints

-- s[low:high] of a string
function R.slice_text(s, low, high)
  local n = #s
  if low == nil then
    low = 0
  elseif math_type(low) ~= "integer" then
    fail("invalid slice index type: " .. R.type_name(low))
  end
  if high == nil then
    high = n
  elseif math_type(high) ~= "integer" then
    fail("invalid slice index type: " .. R.type_name(high))
  end
  return slice_ints(s, low, high)
end
