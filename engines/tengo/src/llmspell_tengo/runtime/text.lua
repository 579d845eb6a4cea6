-- The module text. Regular expressions and what needs Unicode's tables is Python's work.

local R = ...

local type, rawget, select, next = type, rawget, select, next
local byte, find, sub, rep, gsub, lower, upper = string.byte, string.find, string.sub, string.rep, string.gsub, string.lower, string.upper
local format, concat, move = string.format, table.concat, table.move
local L, fail, spend = R.L, R.fail, R.spend
local bad_argument, bad_count, convert = R.bad_argument, R.bad_count, R.convert

local members = {}

local function define(name, kinds, f)
  members[name] = R.module_function(name, kinds, f)
end

local function ascii(s)
  return not find(s, "[\x80-\xff]")
end

-- an array of what stands at 1..n
local function list_of(n, items)
  return R.list(n, move(items, 1, n, 0, {}))
end

local function limited(s)
  if #s > R.max_string then
    fail("exceeding string size limit")
  end
  return s
end

-- Searching

define("compare", { "string", "string" }, function(a, b)
  return a == b and 0 or a < b and -1 or 1
end)
define("contains", { "string", "string" }, function(s, part)
  return find(s, part, 1, true) ~= nil
end)
define("has_prefix", { "string", "string" }, function(s, prefix)
  return sub(s, 1, #prefix) == prefix
end)
define("has_suffix", { "string", "string" }, function(s, suffix)
  return suffix == "" or sub(s, -#suffix) == suffix
end)

local function index(s, part)
  local at = find(s, part, 1, true)
  return at and at - 1 or -1
end
define("index", { "string", "string" }, index)

define("last_index", { "string", "string" }, function(s, part)
  if part == "" then
    return #s
  end
  local first = byte(part)
  local size = #part
  for at = #s - size + 1, 1, -1 do
    if byte(s, at) == first and sub(s, at, at + size - 1) == part then
      return at - 1
    end
    if at % 1024 == 0 then
      spend(256)
    end
  end
  return -1
end)

-- a set of the runes in a string
local function runes_of(chars)
  local set, at, size = {}, 1, #chars
  while at <= size do
    local code, width = R.decode_rune(chars, at)
    set[code] = true
    at = at + width
  end
  return set
end

-- byte positions (from 0) of the first and the last rune that is in the set
local function first_of(s, set)
  local at, size = 1, #s
  spend(size // 8)
  while at <= size do
    local code, width = R.decode_rune(s, at)
    if set[code] then
      return at - 1
    end
    at = at + width
  end
  return -1
end

local function last_of(s, set)
  local found, at, size = -1, 1, #s
  spend(size // 8)
  while at <= size do
    local code, width = R.decode_rune(s, at)
    if set[code] then
      found = at - 1
    end
    at = at + width
  end
  return found
end

define("index_any", { "string", "string" }, function(s, chars)
  return first_of(s, runes_of(chars))
end)
define("last_index_any", { "string", "string" }, function(s, chars)
  return last_of(s, runes_of(chars))
end)
define("contains_any", { "string", "string" }, function(s, chars)
  return first_of(s, runes_of(chars)) >= 0
end)

local function count(s, part)
  if part == "" then
    return R.rune_count(s) + 1
  end
  local n, at = 0, 1
  while true do
    local first, last = find(s, part, at, true)
    if not first then
      spend(n)
      return n
    end
    n = n + 1
    at = last + 1
  end
end
define("count", { "string", "string" }, count)

define("equal_fold", { "string", "string" }, function(s, t)
  if ascii(s) and ascii(t) then
    return lower(s) == lower(t)
  end
  return R.internal("equal_fold", s, t)
end)

-- Splitting

-- the runes of a string, at most n strings; the last holds the rest
local function explode(s, n)
  local items, count = {}, 0
  local at, size = 1, #s
  spend(size // 4)
  while at <= size do
    count = count + 1
    if count == n then
      items[count] = sub(s, at)
      break
    end
    local _, width = R.decode_rune(s, at)
    items[count] = sub(s, at, at + width - 1)
    at = at + width
  end
  return list_of(count, items)
end

local function split(s, separator, kept, n)
  if n == 0 then
    return R.list(0, {})
  elseif separator == "" then
    return explode(s, n)
  end
  local items, count, at = {}, 0, 1
  while count + 1 ~= n do
    local first, last = find(s, separator, at, true)
    if not first then
      break
    end
    count = count + 1
    items[count] = sub(s, at, kept and last or first - 1)
    at = last + 1
  end
  spend(count)
  items[count + 1] = sub(s, at)
  return list_of(count + 1, items)
end

define("split", { "string", "string" }, function(s, separator)
  return split(s, separator, false, -1)
end)
define("split_after", { "string", "string" }, function(s, separator)
  return split(s, separator, true, -1)
end)
define("split_n", { "string", "string", "int" }, function(s, separator, n)
  return split(s, separator, false, n)
end)
define("split_after_n", { "string", "string", "int" }, function(s, separator, n)
  return split(s, separator, true, n)
end)

define("fields", { "string" }, function(s)
  if not ascii(s) then
    return R.internal("fields", s)
  end
  local items, count, at = {}, 0, 1
  while true do
    local first, last = find(s, "[^ \t\n\v\f\r]+", at)
    if not first then
      break
    end
    count = count + 1
    items[count] = sub(s, first, last)
    at = last + 1
  end
  spend(count)
  return list_of(count, items)
end)

-- Joining and replacing

members.join = function(n, list, separator)
  local called = "user-function:join"
  if n ~= 2 then
    bad_count(called)
  end
  local kind = R.kind_of(list)
  if kind ~= "array" and kind ~= "immutable-array" then
    bad_argument(called, "first", "array", list)
  end
  list = R.backing(list)
  local size, total, parts = list[L], 0, {}
  spend(size)
  for at = 0, size - 1 do
    local item = list[at]
    if type(item) ~= "string" then
      if item == nil then
        bad_argument(called, "first[" .. at .. "]", "string(compatible)", item)
      end
      item = R.shown(item)
    end
    parts[at + 1] = item
    total = total + #item
  end
  separator = convert.string(called, 2, separator)
  if total + #separator * (size - 1) > R.max_string then
    fail("exceeding string size limit")
  end
  return concat(parts, separator)
end

define("repeat", { "string", "int" }, function(s, n)
  if n < 0 then
    fail("strings: negative Repeat count")
  elseif #s > 0 and n > R.max_string // #s then
    fail("exceeding string size limit")
  end
  spend(#s * n // 256)
  return s == "" and "" or rep(s, n)
end)

-- an empty text stands before each rune and at the end
local function replace_empty(s, new, n)
  local parts, count, made = {}, 0, 0
  local at, size = 1, #s
  spend(size // 4)
  while made < n and at <= size + 1 do
    count = count + 1
    parts[count] = new
    made = made + 1
    if at > size then
      at = at + 1
      break
    end
    local _, width = R.decode_rune(s, at)
    count = count + 1
    parts[count] = sub(s, at, at + width - 1)
    at = at + width
  end
  parts[count + 1] = sub(s, at)
  return concat(parts)
end

define("replace", { "string", "string", "string", "int" }, function(s, old, new, n)
  if old == new or n == 0 then
    return s
  end
  local found = count(s, old)
  if found == 0 then
    return s
  elseif n < 0 or found < n then
    n = found
  end
  if #s + n * (#new - #old) > R.max_string then
    fail("exceeding string size limit")
  elseif old == "" then
    return replace_empty(s, new, n)
  end
  local parts, at = {}, 1
  for made = 1, n do
    local first, last = find(s, old, at, true)
    parts[made] = sub(s, at, first - 1)
    at = last + 1
  end
  parts[n + 1] = sub(s, at)
  return concat(parts, new)
end)

members.substr = function(n, s, low, high)
  local called = "user-function:substr"
  if n ~= 2 and n ~= 3 then
    bad_count(called)
  end
  s = convert.string(called, 1, s)
  low = convert.int(called, 2, low)
  local size = #s
  high = n == 3 and convert.int(called, 3, high) or n == 2 and size or high
  if low > high then
    fail("invalid index type")
  end
  low = low < 0 and 0 or low > size and size or low
  high = high < 0 and 0 or high > size and size or high
  return sub(s, low + 1, high)
end

local function padder(name, pad)
  local called = "user-function:" .. name
  members[name] = function(n, s, size, with)
    if n ~= 2 and n ~= 3 then
      bad_count(called)
    end
    s = convert.string(called, 1, s)
    size = convert.int(called, 2, size)
    if size > R.max_string then
      fail("exceeding string size limit")
    elseif #s >= size then
      return s
    end
    with = n == 3 and convert.string(called, 3, with) or n == 2 and " " or with
    if with == "" then
      return s
    end
    local times = (size - #with) // #with + 1
    if size < #with then
      times = size - #with > -#with and 1 or 0
    end
    spend(size // 64)
    return pad(s, rep(with, times), size)
  end
end
padder("pad_left", function(s, padding, size)
  return sub(padding .. s, -size)
end)
padder("pad_right", function(s, padding, size)
  return sub(s .. padding, 1, size)
end)

-- Trimming

local function left_end(s, set)
  local at, size = 1, #s
  while at <= size do
    local code, width = R.decode_rune(s, at)
    if not set[code] then
      break
    end
    at = at + width
  end
  return at
end

-- where the last rune that stays ends
local function right_end(s, set, from)
  local stop, at, size = from - 1, from, #s
  while at <= size do
    local code, width = R.decode_rune(s, at)
    at = at + width
    if not set[code] then
      stop = at - 1
    end
  end
  return stop
end

define("trim", { "string", "string" }, function(s, cutset)
  local set = runes_of(cutset)
  spend(#s // 8)
  local from = left_end(s, set)
  return sub(s, from, right_end(s, set, from))
end)
define("trim_left", { "string", "string" }, function(s, cutset)
  spend(#s // 8)
  return sub(s, left_end(s, runes_of(cutset)))
end)
define("trim_right", { "string", "string" }, function(s, cutset)
  spend(#s // 8)
  return sub(s, 1, right_end(s, runes_of(cutset), 1))
end)
define("trim_prefix", { "string", "string" }, function(s, prefix)
  return sub(s, 1, #prefix) == prefix and sub(s, #prefix + 1) or s
end)
define("trim_suffix", { "string", "string" }, function(s, suffix)
  return suffix ~= "" and sub(s, -#suffix) == suffix and sub(s, 1, #s - #suffix) or s
end)

local spaces = {}
for _, code in next, { 9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000 } do
  spaces[code] = true
end
for code = 0x2000, 0x200a do
  spaces[code] = true
end
define("trim_space", { "string" }, function(s)
  spend(#s // 8)
  local from = left_end(s, spaces)
  return sub(s, from, right_end(s, spaces, from))
end)

-- Case

local function cased(name, f)
  define(name, { "string" }, function(s)
    spend(#s // 64)
    if ascii(s) then
      return f(s)
    end
    return limited(R.internal(name, s))
  end)
end
cased("to_lower", lower)
cased("to_upper", upper)
cased("to_title", upper)
cased("title", function(s)
  s = gsub(s, "^%l", upper)
  return (gsub(s, "[^%w_]%l", upper))
end)

-- Numbers and literals

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

-- Regular expressions: Python answers with flat lists of positions

local function refused(message)
  return R.error_text(message)
end

-- the groups of a match, whose positions stand in found from an index on
local function groups_at(s, found, at, size)
  local groups = {}
  for group = 0, size - 1 do
    local begin, stop = found[at + 2 * group], found[at + 2 * group + 1]
    groups[group] = R.immutable(setmetatable({ text = sub(s, begin + 1, stop), begin = begin, ["end"] = stop }, R.MAP))
  end
  spend(size * 8)
  return R.list(size, groups)
end

local function regex_match(pattern, s)
  local answer = R.internal("regex_match", pattern, s)
  return type(answer) == "string" and refused(answer) or answer
end

local function regex_find(pattern, s, n)
  local found = R.internal("regex_find", pattern, s, n)
  if type(found) == "string" then
    return refused(found)
  end
  local matches, count = {}, 0
  local at = 0
  while at < found[L] do
    local size = found[at]
    matches[count] = groups_at(s, found, at + 1, size)
    count = count + 1
    at = at + 1 + 2 * size
  end
  return count > 0 and R.list(count, matches) or nil
end

local function regex_replace(pattern, s, with)
  local answer = R.internal("regex_replace", pattern, s, with, R.max_string)
  if type(answer) == "string" then
    return answer
  elseif answer == false then
    fail("exceeding string size limit")
  end
  return refused(answer[0])
end

local function regex_split(pattern, s, n)
  local answer = R.internal("regex_split", pattern, s, n)
  return type(answer) == "string" and refused(answer) or answer
end

define("re_match", { "string", "string" }, regex_match)
define("re_replace", { "string", "string", "string" }, regex_replace)

members.re_find = function(n, pattern, s, limit)
  local called = "user-function:re_find"
  if n ~= 2 and n ~= 3 then
    bad_count(called)
  end
  pattern = convert.string(called, 1, pattern)
  s = convert.string(called, 2, s)
  return regex_find(pattern, s, n == 3 and convert.int(called, 3, limit) or n == 2 and 1 or limit)
end

members.re_split = function(n, pattern, s, limit)
  local called = "user-function:re_split"
  if n ~= 2 and n ~= 3 then
    bad_count(called)
  end
  pattern = convert.string(called, 1, pattern)
  s = convert.string(called, 2, s)
  return regex_split(pattern, s, n == 3 and convert.int(called, 3, limit) or n == 2 and -1 or limit)
end

local function compiled(pattern)
  local own = {}
  own.match = R.module_function("", { "string" }, function(s)
    return regex_match(pattern, s)
  end)
  own.replace = R.module_function("", { "string", "string" }, function(s, with)
    return regex_replace(pattern, s, with)
  end)
  own.find = function(n, s, limit)
    if n ~= 1 and n ~= 2 then
      bad_count("user-function:")
    end
    s = convert.string("user-function:", 1, s)
    return regex_find(pattern, s, n == 2 and convert.int("user-function:", 2, limit) or n == 1 and 1 or limit)
  end
  own.split = function(n, s, limit)
    if n ~= 1 and n ~= 2 then
      bad_count("user-function:")
    end
    s = convert.string("user-function:", 1, s)
    return regex_split(pattern, s, n == 2 and convert.int("user-function:", 2, limit) or n == 1 and -1 or limit)
  end
  for _, f in next, own do
    R.names[f] = "user-function:"
  end
  return R.immutable(setmetatable(own, R.MAP))
end

define("re_compile", { "string" }, function(pattern)
  local message = R.internal("regex_check", pattern)
  return message and refused(message) or compiled(pattern)
end)

R.define_module("text", members)
