-- The module text. Regular expressions and what needs Unicode's tables is Python's work.

local R = ...

local type, next = type, next
local byte, find, sub, rep, gsub = string.byte, string.find, string.sub, string.rep, string.gsub
local lower, upper = string.lower, string.upper
local concat, move = table.concat, table.move
local L, fail, spend, bad_argument, bad_count, convert = R.L, R.fail, R.spend, R.bad_argument, R.bad_count, R.convert
local runes_of, limited = R.runes_of, R.limited

local members = {}
local define = R.definer(members)

local function ascii(s)
  return not find(s, "[\x80-\xff]")
end

-- an array of what stands at 1..n
local function list_of(n, items)
  return R.list(n, move(items, 1, n, 0, {}))
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

for _, others in next, { R.text_numbers, R.text_regexps, R.text_trimming } do
  for name, f in next, others do
    members[name] = f
  end
end
R.define_module("text", members)
