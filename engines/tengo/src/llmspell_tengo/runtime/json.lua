-- The module json, with the error texts of Go's decoder.

local R = ...

local type, getmetatable, setmetatable, rawget, rawset, next = type, getmetatable, setmetatable, rawget, rawset, next
local byte, find, format, gsub, sub, match = string.byte, string.find, string.format, string.gsub, string.sub, string.match
local concat, math_type, huge = table.concat, math.type, math.huge
local L, CODE, ARR, MAP = R.L, R.CODE, R.ARR, R.MAP

-- A fault of the text travels as a table with the message, up to the function that was called

local Fault = {}

local function give_up(message)
  error(setmetatable({ message = message }, Fault), 0)
end

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

local function whole(s)
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

-- run f(s); what it gives up with is an error value
local function guarded(f, s)
  local ok, result = pcall(f, s)
  if ok then
    return result
  elseif getmetatable(result) == Fault then
    return R.error_text(result.message)
  end
  error(result, 0)
end

-- the text in bytes or a string
local function text_argument(called, v)
  if type(v) == "string" then
    return v
  elseif R.kind_of(v) == "bytes" then
    return rawget(v, R.DATA)
  end
  R.bad_argument(called, "first", "bytes/string", v)
end

local members = {}

function members.decode(n, v)
  if n ~= 1 then
    R.bad_count("user-function:decode")
  end
  return guarded(whole, text_argument("user-function:decode", v))
end

-- Encoding

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  local char = string.char(code)
  escapes[char] = escapes[char] or format("\\u%04x", code)
end

local function encoded_text(s)
  if find(s, '[%c"\\]') then
    s = gsub(s, '[\0-\31"\\]', escapes)
  end
  return '"' .. s .. '"'
end

local function encoded_float(v)
  if v ~= v or v == huge or v == -huge then
    give_up("unsupported float value")
  end
  local size = v < 0 and -v or v
  if size ~= 0 and (size < 1e-6 or size >= 1e21) then
    return (gsub(R.format_float(v, "e", -1), "e%-0(%d)$", "e-%1"))
  end
  return R.format_float(v, "f", -1)
end

local encode

local function encode_list(out, v, depth)
  out[#out + 1] = "["
  local n = v[L]
  R.spend(n)
  for index = 0, n - 1 do
    if index > 0 then
      out[#out + 1] = ","
    end
    encode(out, v[index], depth)
  end
  out[#out + 1] = "]"
end

local function encode_map(out, v, depth)
  out[#out + 1] = "{"
  local keys, n = R.sorted_keys(v)
  for index = 1, n do
    if index > 1 then
      out[#out + 1] = ","
    end
    local key = keys[index]
    out[#out + 1] = encoded_text(key)
    out[#out + 1] = ":"
    encode(out, v[key], depth)
  end
  out[#out + 1] = "}"
end

function encode(out, v, depth)
  local t = type(v)
  if t == "string" then
    out[#out + 1] = encoded_text(v)
  elseif t == "number" then
    out[#out + 1] = math_type(v) == "integer" and format("%d", v) or encoded_float(v)
  elseif t == "boolean" then
    out[#out + 1] = v and "true" or "false"
  elseif t == "nil" then
    out[#out + 1] = "null"
  elseif t == "table" then
    if depth > R.DEEPEST then
      R.fail("value is nested too deep")
    end
    local mt = getmetatable(v)
    if mt.shape == "list" then
      encode_list(out, R.backing(v), depth + 1)
    elseif mt.shape == "map" then
      encode_map(out, R.backing(v), depth + 1)
    elseif mt == R.CHAR then
      out[#out + 1] = format("%d", v[CODE])
    elseif mt.kind == "bytes" then
      out[#out + 1] = '"' .. R.base64_text(rawget(v, R.DATA)) .. '"'
    elseif mt.kind == "time" then
      out[#out + 1] = '"' .. R.internal("time_rfc3339", R.time_parts(v)) .. '"'
    end
  end
end

function members.encode(n, v)
  if n ~= 1 then
    R.bad_count("user-function:encode")
  end
  return guarded(function()
    local out = {}
    encode(out, v, 1)
    return R.new_bytes(concat(out))
  end)
end

-- Indenting: the text is sound, so that only strings and punctuation matter

local function indented(s, prefix, indent)
  local out, depth, at, size = {}, 0, 1, #s
  local opened = false
  local function line()
    out[#out + 1] = "\n" .. prefix .. string.rep(indent, depth)
  end
  while at <= size do
    local code = byte(s, at)
    if code == 32 or code == 9 or code == 10 or code == 13 then
      at = at + 1
    else
      local closing = code == 125 or code == 93
      if opened and not closing then
        depth = depth + 1
        line()
      elseif closing and not opened then
        depth = depth - 1
        line()
      end
      opened = false
      local stop = at
      if code == 34 then
        stop = at + 1
        while byte(s, stop) ~= 34 do
          stop = stop + (byte(s, stop) == 92 and 2 or 1)
        end
      elseif code ~= 123 and code ~= 91 and not closing and code ~= 44 and code ~= 58 then
        _, stop = find(s, "^[^%s,%]}]+", at)
      end
      out[#out + 1] = sub(s, at, stop)
      if code == 44 then
        line()
      elseif code == 58 then
        out[#out + 1] = " "
      elseif code == 123 or code == 91 then
        opened = true
      end
      at = stop + 1
    end
  end
  return concat(out)
end

function members.indent(n, v, prefix, indent)
  local called = "user-function:indent"
  if n ~= 3 then
    R.bad_count(called)
  elseif prefix == nil then
    R.bad_argument(called, "prefix", "string(compatible)", prefix)
  elseif indent == nil then
    R.bad_argument(called, "indent", "string(compatible)", indent)
  end
  prefix, indent = R.shown(prefix), R.shown(indent)
  local s = text_argument(called, v)
  R.spend(#s // 2)
  return guarded(function()
    whole(s)
    return R.new_bytes(indented(s, prefix, indent))
  end)
end

local html = { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026" }
function members.html_escape(n, v)
  if n ~= 1 then
    R.bad_count("user-function:html_escape")
  end
  local s = text_argument("user-function:html_escape", v)
  R.spend(#s // 16)
  s = gsub(s, "[<>&]", html)
  s = gsub(s, "\xe2\x80\xa8", "\\u2028")
  return R.new_bytes((gsub(s, "\xe2\x80\xa9", "\\u2029")))
end

R.define_module("json", members)
R.names[members.indent] = "user-function:encode"
