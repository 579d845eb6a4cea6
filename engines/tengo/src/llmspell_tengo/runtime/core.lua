-- The runtime every Tengo program needs: types, operators, containers, text of values.
--
-- Representation: undefined is nil; int, float, bool and string are Lua's own; a char is one interned table per code
-- point; an array is a table with elements at 0..n-1 and its length under the private key L; a map is a plain table
-- of string keys. What Lua's operators cannot do natively they do through metatables, also those of numbers, strings,
-- booleans, nil and functions, which are set for the whole Lua state. Hence this code never writes s:method().
--
-- Errors are raised as strings that begin with \1; the fields after it are told apart by the driver:
--   \1e\1message                    a plain message
--   \1s\1message                    the same, reported for the caller of the innermost function
--   \1c\1left\1operator\1right      a comparison, whose operator the source may write the other way round
--   \1i\1base\1key                  indexing something that cannot be indexed

local R = ...

local type, getmetatable, setmetatable, rawget, rawset, next, select, error =
  type, getmetatable, setmetatable, rawget, rawset, next, select, error
local math_type, floor, ceil, fmod = math.type, math.floor, math.ceil, math.fmod
local huge, maxint, minint = math.huge, math.maxinteger, math.mininteger
local byte, sub, find, format = string.byte, string.sub, string.find, string.format
local concat, move, unpack, sort = table.concat, table.move, table.unpack, table.sort
local utf8_char, utf8_len, utf8_codes = utf8.char, utf8.len, utf8.codes

local L, OWN, CODE = {}, {}, {}
local ARR, MAP, CHAR, ERR = { kind = "array" }, { kind = "map" }, { kind = "char" }, { kind = "error" }
R.L, R.OWN, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR = L, OWN, CODE, ARR, MAP, CHAR, ERR
R.setmetatable, R.unpack, R.math_type, R.type, R.fmod = setmetatable, unpack, math_type, type, fmod

R.max_string, R.max_bytes = 2147483647, 2147483647
R.members = {} -- runtime modules' functions and constants, by module
local names = setmetatable({}, { __mode = "k" }) -- builtin and module functions: what type_name calls them
R.names = names

local function fail(message)
  error("\1e\1" .. message, 0)
end
R.fail = fail

-- Types

local function type_name(v)
  local t = type(v)
  if t == "number" then
    return math_type(v) == "integer" and "int" or "float"
  elseif t == "string" then
    return "string"
  elseif t == "table" then
    return getmetatable(v).kind
  elseif t == "boolean" then
    return "bool"
  elseif t == "nil" then
    return "undefined"
  end
  return names[v] or "compiled-function"
end
R.type_name = type_name

local function kind_of(v)
  return type(v) == "table" and getmetatable(v).kind or nil
end
R.kind_of = kind_of

-- Characters: one table per code point, so that they compare by identity.

local rare_chars = setmetatable({}, { __mode = "v" })
local chars = setmetatable({}, {
  __index = function(chars, code)
    local char = rare_chars[code]
    if not char then
      char = setmetatable({ [CODE] = code }, CHAR)
      if code >= 0 and code < 256 then
        chars[code] = char
      else
        rare_chars[code] = char
      end
    end
    return char
  end,
})
R.chars = chars

local function char_text(code)
  if code < 0 or code > 0x10FFFF or code >= 0xD800 and code < 0xE000 then
    return "\xEF\xBF\xBD"
  end
  return utf8_char(code)
end
R.char_text = char_text

-- int32 arithmetic wraps
local function wrapped_char(code)
  if code < -0x80000000 or code > 0x7FFFFFFF then
    code = (code + 0x80000000 & 0xFFFFFFFF) - 0x80000000
  end
  return chars[code]
end
R.wrapped_char = wrapped_char

-- Text of numbers

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

local function float_text(v)
  if v ~= v then
    return "NaN"
  elseif v == huge then
    return "+Inf"
  elseif v == -huge then
    return "-Inf"
  end
  if v == floor(v) and v > -1e15 and v < 1e15 then
    return format("%.0f", v)
  end
  local sign = v < 0 and "-" or ""
  local digits, exponent = shortest(v < 0 and -v or v)
  if exponent <= 0 then
    return sign .. "0." .. string.rep("0", -exponent) .. digits
  elseif exponent >= #digits then
    return sign .. digits .. string.rep("0", exponent - #digits)
  end
  return sign .. sub(digits, 1, exponent) .. "." .. sub(digits, exponent + 1)
end
R.float_text = float_text

-- Text of values

local DEEPEST = 5000
R.DEEPEST = DEEPEST
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
    list_text(out, getmetatable(v).__index, depth)
  end,
  ["immutable-map"] = function(out, v, depth)
    map_text(out, getmetatable(v).__index, depth)
  end,
}
R.texts = texts

-- append the text of a value inside another one
function text_of(out, v, depth)
  local t = type(v)
  if t == "string" then
    out[#out + 1] = quoted(v)
  elseif t == "number" then
    out[#out + 1] = math_type(v) == "integer" and format("%d", v) or float_text(v)
  elseif t == "table" then
    if depth > DEEPEST then
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
    return math_type(v) == "integer" and format("%d", v) or float_text(v)
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

-- Arithmetic: the cold path of + - * and comparisons, and all of / % and the bit operations

local function invalid(a, op, b)
  error("\1e\1invalid operation: " .. type_name(a) .. " " .. op .. " " .. type_name(b), 0)
end
R.invalid = invalid

local function joined_text(a, b)
  if #a + #b > R.max_string then
    fail("exceeding string size limit")
  end
  return a .. b
end

local function joined_lists(a, b)
  local n, m = a[L], b[L]
  R.spend(n + m)
  local list = move(a, 0, n - 1, 0, {})
  move(b, 0, m - 1, n, list)
  list[L] = n + m
  return setmetatable(list, ARR)
end

local function add(a, b)
  local t = type(a)
  if t == "string" then
    return joined_text(a, type(b) == "string" and b or text(b))
  elseif t == "table" then
    local mt = getmetatable(a)
    if mt == ARR then
      if getmetatable(b) == ARR and type(b) == "table" then
        return joined_lists(a, b)
      end
    elseif mt == CHAR then
      if math_type(b) == "integer" then
        return wrapped_char(a[CODE] + b)
      elseif kind_of(b) == "char" then
        return wrapped_char(a[CODE] + b[CODE])
      end
    elseif mt.kind == "immutable-array" then
      if kind_of(b) == "immutable-array" then
        return joined_lists(mt.__index, getmetatable(b).__index)
      end
    elseif mt.add then
      return mt.add(a, b)
    end
  elseif t == "number" then
    if type(b) == "number" then
      return a + b
    elseif math_type(a) == "integer" and kind_of(b) == "char" then
      return wrapped_char(a + b[CODE])
    end
  end
  invalid(a, "+", b)
end

local function subtract(a, b)
  local kind = kind_of(a)
  if kind == "char" then
    if math_type(b) == "integer" then
      return wrapped_char(a[CODE] - b)
    elseif kind_of(b) == "char" then
      return wrapped_char(a[CODE] - b[CODE])
    end
  elseif math_type(a) == "integer" and kind_of(b) == "char" then
    return wrapped_char(a - b[CODE])
  elseif kind and getmetatable(a).subtract then
    return getmetatable(a).subtract(a, b)
  end
  invalid(a, "-", b)
end

local function multiply(a, b)
  invalid(a, "*", b)
end

local function negate(a)
  error("\1e\1invalid operation: -" .. type_name(a), 0)
end

local function less_number(a, b)
  return a < b
end

local function not_greater_number(a, b)
  return a <= b
end

local function comparison(op, compare)
  return function(a, b)
    local x, y = a, b
    local left, right = kind_of(a), kind_of(b)
    if left == "char" then
      x = a[CODE]
    end
    if right == "char" then
      y = b[CODE]
    end
    if math_type(x) == "integer" and math_type(y) == "integer" then
      return compare(x, y)
    elseif left == "time" and right == "time" then
      return getmetatable(a).compare(a, b, compare)
    end
    error("\1c\1" .. type_name(a) .. "\1" .. op .. "\1" .. type_name(b), 0)
  end
end
local less, not_greater = comparison("<", less_number), comparison("<=", not_greater_number)

function R.idiv(a, b)
  if b == 0 then
    fail("runtime error: integer divide by zero")
  end
  local q = a // b
  if q < 0 and q * b ~= a then
    return q + 1
  end
  return q
end
local idiv = R.idiv

function R.div(a, b)
  local s, t = math_type(a), math_type(b)
  if s == "integer" and t == "integer" then
    return idiv(a, b)
  elseif s and t then
    return a / b
  end
  invalid(a, "/", b)
end

function R.rem(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "%", b)
  elseif b == 0 then
    fail("runtime error: integer divide by zero")
  end
  return fmod(a, b)
end

function R.band(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "&", b)
  end
  return a & b
end

function R.bor(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "|", b)
  end
  return a | b
end

function R.bxor(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "^", b)
  end
  return a ~ b
end

function R.bclear(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "&^", b)
  end
  return a & ~b
end

function R.shl(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, "<<", b)
  end
  return b < 0 and 0 or a << b
end

function R.shr(a, b)
  if math_type(a) ~= "integer" or math_type(b) ~= "integer" then
    invalid(a, ">>", b)
  elseif b < 0 or b > 63 then
    return a < 0 and -1 or 0
  end
  return b == 63 and (a < 0 and -1 or 0) or a // (1 << b)
end

function R.bnot(a)
  if math_type(a) ~= "integer" then
    error("\1e\1invalid operation: ^" .. type_name(a), 0)
  end
  return ~a
end

function R.never_equal()
  return false
end

function R.always_unequal()
  return true
end

-- Truth

local function truthy(v)
  if not v then
    return false
  end
  local t = type(v)
  if t == "number" then
    return math_type(v) == "float" and v == v or v ~= 0 and v == v
  elseif t == "string" then
    return v ~= ""
  elseif t == "table" then
    local mt = getmetatable(v)
    if mt == ARR then
      return v[L] > 0
    elseif mt == MAP then
      return next(v) ~= nil or R.undefined_keys[v] ~= nil and R.length(v) > 0
    elseif mt == CHAR then
      return v[CODE] ~= 0
    elseif mt == ERR then
      return false
    end
    return mt.truth(v)
  end
  return true
end
R.truthy = truthy

-- Maps whose values are undefined: Lua keeps no such keys, so they are noted here, by map.

local undefined_keys = setmetatable({}, { __mode = "k" })
R.undefined_keys = undefined_keys

local function keep_key(map, key)
  local kept = undefined_keys[map]
  if not kept then
    kept = {}
    undefined_keys[map] = kept
  end
  kept[key] = true
end

-- a map literal whose values for the keys given may be undefined
function R.keep_keys(map, ...)
  for index = 1, select("#", ...) do
    local key = select(index, ...)
    if rawget(map, key) == nil then
      keep_key(map, key)
    end
  end
  return map
end

-- t[k] = undefined
function R.set_undefined(t, k)
  if type(t) == "table" and getmetatable(t) == MAP then
    if type(k) ~= "string" then
      if k == nil then
        fail("invalid index type")
      end
      k = shown(k)
    end
    rawset(t, k, nil)
    keep_key(t, k)
    return
  end
  t[k] = nil
end

local function count_keys(map)
  local count = 0
  for _ in next, map do
    count = count + 1
  end
  local kept = undefined_keys[map]
  if kept then
    for key in next, kept do
      if rawget(map, key) == nil then
        count = count + 1
      end
    end
  end
  R.spend(count // 8)
  return count
end
R.count_keys = count_keys

local function has_key(map, key)
  if rawget(map, key) ~= nil then
    return true
  end
  local kept = undefined_keys[map]
  return kept ~= nil and kept[key] == true
end
R.has_key = has_key

-- Length, without errors; nil for what has none

local function length(v)
  if type(v) == "string" then
    return #v
  end
  local mt = type(v) == "table" and getmetatable(v)
  if mt == ARR then
    return v[L]
  elseif mt == MAP then
    return count_keys(v)
  elseif mt and mt.length then
    return mt.length(v)
  end
  R.bad_argument("builtin-function:len", "first", "array/string/bytes/map", v)
end
R.length = length

-- Equality: == compares these by content

local function equal_lists(a, b)
  local n = a[L]
  if n ~= b[L] then
    return false
  end
  R.spend(n // 4)
  for index = 0, n - 1 do
    if a[index] ~= b[index] then
      return false
    end
  end
  return true
end

local function equal_maps(a, b)
  if count_keys(a) ~= count_keys(b) then
    return false
  end
  for key, value in next, a do
    if b[key] ~= value then
      return false
    end
  end
  local kept = undefined_keys[a]
  if kept then
    for key in next, kept do
      if rawget(a, key) == nil and (rawget(b, key) ~= nil or not has_key(b, key)) then
        return false
      end
    end
  end
  return true
end

local backing = function(v)
  local mt = getmetatable(v)
  return mt.immutable and mt.__index or v
end
R.backing = backing

local function equal(a, b)
  local left, right = getmetatable(a).shape, getmetatable(b).shape
  if left ~= right then
    return false
  elseif left == "list" then
    return equal_lists(backing(a), backing(b))
  elseif left == "map" then
    return equal_maps(backing(a), backing(b))
  end
  return getmetatable(a).equal(a, b)
end

-- Indexing

local function not_indexable(t, k)
  if k == OWN then
    return nil
  end
  error("\1i\1" .. type_name(t) .. "\1" .. type_name(k), 0)
end

local function not_assignable(t)
  error("\1e\1not index-assignable: " .. type_name(t), 0)
end

local function not_callable(f)
  error("\1e\1not callable: " .. type_name(f), 0)
end

local function invalid_index(k)
  error("\1e\1invalid index type: " .. type_name(k), 0)
end
R.invalid_index = invalid_index

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

-- code point and width of the rune at a byte position; U+FFFD and 1 where there is none
function R.decode_rune(s, at)
  local lead = byte(s, at)
  local width = lead < 0x80 and 1 or lead < 0xC2 and 0 or lead < 0xE0 and 2 or lead < 0xF0 and 3 or lead < 0xF5 and 4
    or 0
  if width > 1 and at + width - 1 <= #s and utf8_len(s, at, at) then
    return utf8.codepoint(s, at), width
  elseif width == 1 then
    return lead, 1
  end
  return 0xFFFD, 1
end

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
    last_ascii = not find(s, "[\x80-\xff]")
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

-- Metatables

local function install(mt, index, assign, call)
  mt.__add, mt.__sub, mt.__mul, mt.__unm, mt.__lt, mt.__le = add, subtract, multiply, negate, less, not_greater
  mt.__index, mt.__newindex, mt.__call = index, assign, call
  return mt
end
R.install = install

local function nothing()
  return nil
end

for _, sample in next, { 0, true, "" } do
  local mt = install({}, not_indexable, not_assignable, not_callable)
  if sample == "" then
    mt.__index = char_at
  end
  debug.setmetatable(sample, mt)
end
debug.setmetatable(nil, install({}, nothing, not_assignable, not_callable))
debug.setmetatable(type, install({}, not_indexable, not_assignable))

install(ARR, function(_, k)
  if math_type(k) == "integer" or k == OWN then
    return nil
  end
  invalid_index(k)
end, function(t, k, v)
  if math_type(k) ~= "integer" then
    if k == OWN then
      rawset(t, k, v)
      return
    end
    k = R.to_int(k)
    if not k then
      fail("invalid index type")
    end
  end
  if k < 0 or k >= t[L] then
    fail("index out of bounds")
  end
  rawset(t, k, v)
end, not_callable)
ARR.shape, ARR.__eq = "list", equal

install(MAP, function(t, k)
  if type(k) == "string" or k == OWN then
    return nil
  elseif k == nil then
    invalid_index(k)
  end
  return rawget(t, shown(k))
end, function(t, k, v)
  if type(k) ~= "string" then
    if k == nil then
      fail("invalid index type")
    end
    k = shown(k)
  end
  rawset(t, k, v)
end, not_callable)
MAP.shape, MAP.__eq = "map", equal

install(CHAR, not_indexable, not_assignable, not_callable)

install(ERR, function(t, k)
  if k == OWN then
    return nil
  elseif k ~= nil and shown(k) == "value" then
    return rawget(t, ERR)
  end
  fail("invalid index on error")
end, not_assignable, not_callable)

function R.error_value(v)
  return setmetatable({ [ERR] = v }, ERR)
end

-- Immutable values: an empty table before the mutable one, which reads go through to

local function immutable_metatable(kind, value)
  local mt = install({ kind = kind, immutable = true, __eq = equal }, value, not_assignable, not_callable)
  mt.shape = kind == "immutable-map" and "map" or "list"
  mt.length = R.immutable_length
  mt.truth = R.immutable_truth
  return mt
end

function R.immutable_length(v)
  return length(getmetatable(v).__index)
end

function R.immutable_truth(v)
  return truthy(getmetatable(v).__index)
end

local function immutable(v)
  local mt = type(v) == "table" and getmetatable(v)
  if mt == ARR then
    return setmetatable({}, immutable_metatable("immutable-array", v))
  elseif mt == MAP then
    return setmetatable({}, immutable_metatable("immutable-map", v))
  end
  return v
end
R.immutable = immutable

-- Containers

function R.list(n, t)
  t[L] = n
  return setmetatable(t, ARR)
end

-- n values as an array
function R.pack(n, ...)
  local list = { [L] = n > 0 and n or 0, select(2, ...) }
  list[0] = (...)
  return setmetatable(list, ARR)
end

-- the arguments from the skip-th on, of n
function R.rest(n, skip, ...)
  local list, count = {}, n - skip
  for index = 0, count - 1 do
    list[index] = (select(skip + index + 1, ...))
  end
  list[L] = count
  return setmetatable(list, ARR)
end

local function copied_list(a, extra)
  local n = a[L]
  R.spend(n // 4)
  local list = move(a, 0, n - 1, 0, {})
  list[L] = n + extra
  return setmetatable(list, ARR), n
end
R.copied_list = copied_list

-- x = append(x, v): extends the array in place if the variable is its only owner
function R.grow(a, v)
  if a[OWN] then
    local n = a[L]
    rawset(a, n, v)
    a[L] = n + 1
    return a
  end
  local kind = kind_of(a)
  if kind ~= "array" and kind ~= "immutable-array" then
    R.bad_argument("builtin-function:append", "first", "array", a)
  end
  local list, n = copied_list(backing(a), 1)
  rawset(list, n, v)
  rawset(list, OWN, true)
  return list
end

-- a growing array becomes known elsewhere
function R.share(v)
  if type(v) == "table" and v[OWN] then
    rawset(v, OWN, false)
  end
  return v
end

function R.slice(v, low, high)
  if low == nil then
    low = 0
  elseif math_type(low) ~= "integer" then
    fail("invalid slice index type: " .. type_name(low))
  end
  local t, n = type(v), nil
  local mt = t == "table" and getmetatable(v)
  if t == "string" then
    n = #v
  elseif mt == ARR then
    n = v[L]
  elseif mt and mt.slice or mt and mt.kind == "immutable-array" then
    n = length(v)
  else
    fail("not indexable: " .. type_name(v))
  end
  if high == nil then
    high = n
  elseif math_type(high) ~= "integer" then
    fail("invalid slice index type: " .. type_name(high))
  end
  if low > high then
    fail(format("invalid slice index: %d > %d", low, high))
  end
  low = low < 0 and 0 or low > n and n or low
  high = high < 0 and 0 or high > n and n or high
  if t == "string" then
    return sub(v, low + 1, high)
  elseif mt.slice then
    return mt.slice(v, low, high)
  end
  R.spend((high - low) // 4)
  local list = move(backing(v), low, high - 1, 0, {})
  list[L] = high - low
  return setmetatable(list, ARR)
end

-- Loops

-- last index, keys (nil: the indexes themselves), values
local function contents(v)
  if type(v) == "table" then
    local mt = getmetatable(v)
    if mt == ARR then
      return v[L] - 1, nil, v
    elseif mt == MAP then
      local keys, count = sorted_keys(v)
      return count - 1, move(keys, 1, count, 0, {}), v
    elseif mt.immutable then
      return contents(mt.__index)
    elseif mt.contents then
      return mt.contents(v)
    end
  elseif type(v) == "string" then
    local list, count = decoded(v)
    return count - 1, nil, list
  elseif v == nil then
    return -1, nil, nil
  end
  fail("not iterable: " .. type_name(v))
end
R.contents = contents

-- the plain form of a loop: a state that is advanced
function R.iterator(v)
  local last, keys, values = contents(v)
  return { at = -1, last = last, keys = keys, values = values }
end

function R.advance(state)
  local at = state.at + 1
  state.at = at
  if at > state.last then
    return false
  end
  local key = at
  if state.keys then
    key = state.keys[at]
  end
  state.key, state.value = key, state.values[key]
  return true
end

-- the last integer below (or at) a limit that is no integer, and the first above
function R.upper_limit(n, closed)
  if kind_of(n) == "char" then
    return closed and n[CODE] or n[CODE] - 1
  elseif n >= 0x1p63 then
    return maxint
  elseif math_type(n) == "integer" then
    return closed and n or n - 1
  end
  return closed and floor(n) or ceil(n) - 1
end

function R.lower_limit(n, closed)
  if kind_of(n) == "char" then
    return closed and n[CODE] or n[CODE] + 1
  elseif n < -0x1p63 then
    return minint
  elseif math_type(n) == "integer" then
    return closed and n or n + 1
  end
  return closed and ceil(n) or floor(n) + 1
end

-- Calls

function R.bad_arity(got, want, variadic)
  error("\1s\1wrong number of arguments: want" .. (variadic and ">=" or "=") .. want .. ", got=" .. got, 0)
end

function R.bad_count(name)
  error("\1e\1wrong number of arguments in call to '" .. name .. "'", 0)
end

function R.bad_argument(name, which, expected, found)
  error(
    "\1e\1invalid type for argument '" .. which .. "' in call to '" .. name .. "': expected " .. expected
      .. ", found " .. type_name(found),
    0
  )
end

-- f(a, b, list...): count arguments stand before the list
function R.spread(count, f, ...)
  if type(f) ~= "function" then
    not_callable(f)
  end
  local list = (select(count + 1, ...))
  local kind = kind_of(list)
  if kind ~= "array" and kind ~= "immutable-array" then
    fail("not an array: " .. type_name(list))
  end
  list = backing(list)
  local n = list[L]
  if count == 0 then
    return f(n, unpack(list, 0, n - 1))
  end
  local args = { ... }
  move(list, 0, n - 1, count + 1, args)
  return f(count + n, unpack(args, 1, count + n))
end

-- Standard modules: a module's values are its members; import gives an immutable map of them

local modules = {}

function R.native_module(name)
  local module = modules[name]
  if not module then
    local members = { __module_name__ = name }
    for key, value in next, R.members[name] do
      members[key] = value
    end
    module = immutable(setmetatable(members, MAP))
    modules[name] = module
  end
  return module
end

-- name the functions of a module for type_name
function R.define_module(name, members)
  for key, value in next, members do
    if type(value) == "function" then
      names[value] = "user-function:" .. key
    end
  end
  R.members[name] = members
end
