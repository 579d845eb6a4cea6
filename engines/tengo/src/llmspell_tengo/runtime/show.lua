-- Text of values.

local R = ...

local type, getmetatable, rawget, next, math_type = type, getmetatable, rawget, next, math.type
local byte, find, format, sub = string.byte, string.find, string.format, string.sub
local concat, sort, utf8_char = table.concat, table.sort, utf8.char
local L, CODE, ERR = R.L, R.CODE, R.ERR
local fail, names = R.fail, R.names

local function char_text(code)
  if code < 0 or code > 0x10FFFF or code >= 0xD800 and code < 0xE000 then
    return "\xEF\xBF\xBD"
  end
  return utf8_char(code)
end
R.char_text = char_text

local text_of

local escapes = { [7] = "\\a", [8] = "\\b", [9] = "\\t", [10] = "\\n", [11] = "\\v", [12] = "\\f", [13] = "\\r" }
escapes[34], escapes[92] = '\\"', "\\\\"

-- Go's quoted form; what is printable beyond ASCII only the host knows
local function quoted(s)
  if not find(s, "[^ !#-%[%]-~]") then
    return '"' .. s .. '"'
  elseif find(s, "[\x80-\xff]") then
    return R.internal("quote", s)
  end
  local out = {}
  for index = 1, #s do
    local code = byte(s, index)
    out[index] = escapes[code] or code >= 32 and code < 127 and sub(s, index, index) or format("\\x%02x", code)
  end
  R.spend(#s)
  return '"' .. concat(out) .. '"'
end
R.quoted = quoted

local function sorted_keys(map)
  local keys, count = {}, 0
  for key in next, map do
    count = count + 1
    keys[count] = key
  end
  local kept = R.undefined_keys[map]
  if kept then
    for key in next, kept do
      if map[key] == nil then
        count = count + 1
        keys[count] = key
      end
    end
  end
  R.spend(count)
  sort(keys)
  return keys, count
end
R.sorted_keys = sorted_keys

local function list_text(out, list, depth)
  out[#out + 1] = "["
  for index = 0, list[L] - 1 do
    if index > 0 then
      out[#out + 1] = ", "
    end
    text_of(out, list[index], depth)
  end
  out[#out + 1] = "]"
end

local function map_text(out, map, depth)
  out[#out + 1] = "{"
  local keys, count = sorted_keys(map)
  for index = 1, count do
    if index > 1 then
      out[#out + 1] = ", "
    end
    local key = keys[index]
    out[#out + 1] = key
    out[#out + 1] = ": "
    text_of(out, map[key], depth)
  end
  out[#out + 1] = "}"
end

local texts = {
  array = list_text,
  map = map_text,
  char = function(out, v)
    out[#out + 1] = char_text(v[CODE])
  end,
  error = function(out, v, depth)
    out[#out + 1] = "error: "
    text_of(out, rawget(v, ERR), depth)
  end,
  ["immutable-array"] = function(out, v, depth)
    list_text(out, R.backing(v), depth)
  end,
  ["immutable-map"] = function(out, v, depth)
    map_text(out, R.backing(v), depth)
  end,
}
R.texts = texts

-- append the text of a value inside another one
function text_of(out, v, depth)
  local t = type(v)
  if t == "string" then
    out[#out + 1] = quoted(v)
  elseif t == "number" then
    out[#out + 1] = math_type(v) == "integer" and format("%d", v) or R.float_text(v)
  elseif t == "table" then
    if depth > R.DEEPEST then
      fail("value is nested too deep")
    end
    R.spend(1)
    texts[getmetatable(v).kind](out, v, depth + 1)
  elseif t == "boolean" then
    out[#out + 1] = v and "true" or "false"
  elseif t == "nil" then
    out[#out + 1] = "<undefined>"
  else
    local name = names[v]
    out[#out + 1] = not name and "<compiled-function>"
      or sub(name, 1, 8) == "builtin-" and "<builtin-function>"
      or "<user-function>"
  end
end

local function text(v)
  local t = type(v)
  if t == "string" then
    return quoted(v)
  elseif t == "number" then
    return math_type(v) == "integer" and format("%d", v) or R.float_text(v)
  end
  local out = {}
  text_of(out, v, 1)
  return concat(out)
end
R.text = text

-- the text of a value by itself, as in "a" + v: strings stay bare
local function shown(v)
  if type(v) == "string" then
    return v
  end
  return text(v)
end
R.shown = shown

