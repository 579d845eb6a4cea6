-- Reading JSON, with the error texts of Go's decoder.

local R = ...

local type, setmetatable, rawset, tonumber = type, setmetatable, rawset, tonumber
local byte, find, sub = string.byte, string.find, string.sub
local concat = table.concat
local MAP, give_up = R.MAP, R.json_give_up

local function char_name(code)
  if code == 39 then
    return "'\\''"
  elseif code == 34 then
    return "'\"'"
  elseif code >= 128 then
    return R.internal("quote_char", code)
  end
  return "'" .. sub(R.quoted(string.char(code)), 2, -2) .. "'"
end

-- Where white space may stand an early end is called that; elsewhere the reference sees a space after it.
local between = {
  ["looking for beginning of value"] = true,
  ["looking for beginning of object key string"] = true,
  ["after object key"] = true,
  ["after object key:value pair"] = true,
  ["after array element"] = true,
  ["in string literal"] = true,
}

local function unexpected(s, at, context)
  local code = byte(s, at) or 32
  if at > #s and between[context] then
    give_up("unexpected end of JSON input")
  end
  give_up("invalid character " .. char_name(code) .. " " .. context)
end

local function skip(s, at)
  local _, last = find(s, "^[ \t\r\n]*", at)
  return last + 1
end

-- Strings

local plain_escapes = {
  [34] = '"',
  [92] = "\\",
  [47] = "/",
  [98] = "\b",
  [102] = "\f",
  [110] = "\n",
  [114] = "\r",
  [116] = "\t",
}

local function hex_at(s, at)
  local _, last = find(s, "^%x*", at)
  if last < at + 3 then
    unexpected(s, last + 1, "in \\u hexadecimal character escape")
  end
  return tonumber(sub(s, at, at + 3), 16)
end

-- a \u escape, whose digits stand at a position; a pair of surrogates is one character
local function unicode_at(s, at)
  local code = hex_at(s, at)
  at = at + 4
  if code >= 0xD800 and code < 0xE000 then
    if code < 0xDC00 and find(s, "^\\u[dD][c-fC-F]%x%x", at) then
      local low = hex_at(s, at + 2)
      return utf8.char(0x10000 + (code - 0xD800 << 10) + (low - 0xDC00)), at + 6
    end
    return "\xEF\xBF\xBD", at
  end
  return utf8.char(code), at
end

-- bytes that are no UTF-8 become U+FFFD
local function valid_text(s)
  if not find(s, "[\x80-\xff]") or utf8.len(s) then
    return s
  end
  local out, at, size = {}, 1, #s
  while at <= size do
    local code, width = R.decode_rune(s, at)
    out[#out + 1] = R.char_text(code)
    at = at + width
  end
  return concat(out)
end

-- the string whose opening quote stands before a position
local function string_at(s, at)
  local first, last = find(s, '^[^"\\%c]*"', at)
  if first then
    return valid_text(sub(s, at, last - 1)), last + 1
  end
  local out = {}
  while true do
    local _, stop = find(s, '^[^"\\\0-\31]*', at)
    if stop >= at then
      out[#out + 1] = sub(s, at, stop)
    end
    at = stop + 1
    local code = byte(s, at)
    if code == 34 then
      return valid_text(concat(out)), at + 1
    elseif code ~= 92 then
      unexpected(s, at, "in string literal")
    end
    code = byte(s, at + 1)
    if code == 117 then
      out[#out + 1], at = unicode_at(s, at + 2)
    elseif plain_escapes[code] then
      out[#out + 1] = plain_escapes[code]
      at = at + 2
    else
      unexpected(s, at + 1, "in string escape code")
    end
  end
end

-- Numbers

local function number_at(s, at)
  local start = at
  if byte(s, at) == 45 then
    at = at + 1
  end
  local code = byte(s, at)
  if code == 48 then
    at = at + 1
  elseif code and code >= 49 and code <= 57 then
    local _, last = find(s, "^%d+", at)
    at = last + 1
  else
    unexpected(s, at, "in numeric literal")
  end
  local float = false
  if byte(s, at) == 46 then
    local _, last = find(s, "^%d+", at + 1)
    if not last then
      unexpected(s, at + 1, "after decimal point in numeric literal")
    end
    at, float = last + 1, true
  end
  code = byte(s, at)
  if code == 101 or code == 69 then
    local _, sign = find(s, "^[+-]?", at + 1)
    local _, last = find(s, "^%d+", sign + 1)
    if not last then
      unexpected(s, sign + 1, "in exponent of numeric literal")
    end
    at, float = last + 1, true
  end
  local text = sub(s, start, at - 1)
  if float then
    return tonumber(text) + 0.0, at
  end
  local v = R.parse_int(text)
  if not v then
    -- reported only if the rest of the text is sound
    return setmetatable({ text = text }, Fault), at
  end
  return v, at
end

-- Values

local value_at
local out_of_range

local function word_at(s, at, word, value)
  for index = 2, #word do
    if byte(s, at + index - 1) ~= byte(word, index) then
      unexpected(s, at + index - 1, "in literal " .. word .. " (expecting '" .. sub(word, index, index) .. "')")
    end
  end
  return value, at + #word
end

local function array_at(s, at, depth)
  local list, count = {}, 0
  at = skip(s, at)
  if byte(s, at) == 93 then
    return R.list(0, list), at + 1
  end
  while true do
    list[count], at = value_at(s, at, depth)
    count = count + 1
    at = skip(s, at)
    local code = byte(s, at)
    if code == 93 then
      R.spend(count)
      return R.list(count, list), at + 1
    elseif code ~= 44 then
      unexpected(s, at, "after array element")
    end
    at = at + 1
  end
end

local function object_at(s, at, depth)
  local map, count = setmetatable({}, MAP), 0
  at = skip(s, at)
  if byte(s, at) == 125 then
    return map, at + 1
  end
  while true do
    if byte(s, at) ~= 34 then
      unexpected(s, at, "looking for beginning of object key string")
    end
    local key, value
    key, at = string_at(s, at + 1)
    at = skip(s, at)
    if byte(s, at) ~= 58 then
      unexpected(s, at, "after object key")
    end
    value, at = value_at(s, at + 1, depth)
    if value == nil then
      rawset(map, key, nil)
      R.keep_keys(map, key)
    else
      rawset(map, key, value)
    end
    count = count + 1
    at = skip(s, at)
    local code = byte(s, at)
    if code == 125 then
      R.spend(count)
      return map, at + 1
    elseif code ~= 44 then
      unexpected(s, at, "after object key:value pair")
    end
    at = skip(s, at + 1)
  end
end

function value_at(s, at, depth)
  at = skip(s, at)
  local code = byte(s, at)
  if code == 34 then
    return string_at(s, at + 1)
  elseif code == 123 or code == 91 then
    if depth > R.DEEPEST then
      give_up("exceeded max depth")
    end
    return (code == 123 and object_at or array_at)(s, at + 1, depth + 1)
  elseif code == 116 then
    return word_at(s, at, "true", true)
  elseif code == 102 then
    return word_at(s, at, "false", false)
  elseif code == 110 then
    return word_at(s, at, "null", nil)
  elseif code == 45 or code and code >= 48 and code <= 57 then
    local v
    v, at = number_at(s, at)
    if type(v) == "table" then
      out_of_range = out_of_range or v.text
      v = 0
    end
    return v, at
  end
  unexpected(s, at, "looking for beginning of value")
end

-- the value that a text says
function R.json_read(s)
  out_of_range = nil
  local v, at = value_at(s, 1, 1)
  at = skip(s, at)
  if at <= #s then
    unexpected(s, at, "after top-level value")
  elseif out_of_range then
    give_up("strconv.ParseInt: parsing " .. R.quoted(out_of_range) .. ": value out of range")
  end
  return v
end
