-- Lua patterns taken apart, for `cost.lua` and `matcher.lua`.
--
-- A pattern becomes a list of items {kind, class, set, repeat_}: "char" with its class text, the set of bytes it
-- matches and perhaps one of * + - ?, "open", "close", "position", "balance", "frontier", "back", "end".

local error, setmetatable = error, setmetatable
local byte, char, find, gmatch, sub = string.byte, string.char, string.find, string.gmatch, string.sub
local concat = table.concat

local MAX_CAPTURES <const> = 32
local MAX_ITEMS <const> = 10000

local all_bytes = {}
for b = 0, 255 do
  all_bytes[b + 1] = char(b)
end
all_bytes = concat(all_bytes)

-- The set of bytes of a class text such as "%a", "[a-z]", "." or "x".
local sets = setmetatable({}, {
  __mode = "v",
  __index = function(sets, class)
    local set = {}
    for c in gmatch(all_bytes, class) do
      set[byte(c)] = true
    end
    sets[class] = set
    return set
  end,
})

-- Return the position after the class that starts at `at`.
local function class_end(p, at)
  local c = byte(p, at)
  at = at + 1
  if c == 37 then -- %
    if at > #p then
      error("malformed pattern (ends with '%')", 0)
    end
    return at + 1
  elseif c == 91 then -- [
    if byte(p, at) == 94 then
      at = at + 1
    end
    repeat
      if at > #p then
        error("malformed pattern (missing ']')", 0)
      end
      local inner = byte(p, at)
      at = at + 1
      if inner == 37 then
        at = at + 1
      end
    until byte(p, at) == 93 -- ]
    return at + 1
  end
  return at
end

local function parse_special(p, at, c, closed)
  if c == 98 then -- %bxy
    if at + 3 > #p then
      error("malformed pattern (missing arguments to '%b')", 0)
    end
    return { kind = "balance", opening = byte(p, at + 2), closing = byte(p, at + 3) }, at + 4
  elseif c == 102 then -- %f[set]
    at = at + 2
    if byte(p, at) ~= 91 then
      error("missing '[' after '%f' in pattern", 0)
    end
    local past = class_end(p, at)
    return { kind = "frontier", set = sets[sub(p, at, past - 1)] }, past
  end
  local index = c - 48
  if closed[index] == nil then
    error("invalid capture index %" .. index, 0)
  end
  return { kind = "back", index = index, never = closed[index] == "position" }, at + 2
end

-- Parse from `at`; returns the items and how many captures there are.
local function parse(p, at)
  local items, count, captures, open, closed = {}, 0, 0, {}, {}
  while at <= #p do
    count = count + 1
    if count > MAX_ITEMS then
      error("pattern too complex", 0)
    end
    local c, item = byte(p, at), nil
    local second = c == 37 and byte(p, at + 1)
    if c == 40 then -- (
      captures = captures + 1
      if captures > MAX_CAPTURES then
        error("too many captures", 0)
      end
      if byte(p, at + 1) == 41 then
        item, at = { kind = "position", index = captures }, at + 2
        closed[captures] = "position"
      else
        item, at = { kind = "open", index = captures }, at + 1
        open[#open + 1] = captures
      end
    elseif c == 41 then -- )
      if #open == 0 then
        error("invalid pattern capture", 0)
      end
      item, at = { kind = "close", index = open[#open] }, at + 1
      closed[open[#open]] = "text"
      open[#open] = nil
    elseif c == 36 and at == #p then -- $
      item, at = { kind = "end" }, at + 1
    elseif second and (second == 98 or second == 102 or (second >= 48 and second <= 57)) then
      item, at = parse_special(p, at, second, closed)
    else
      local past = class_end(p, at)
      local class = sub(p, at, past - 1)
      if find("^$]*+-?", class, 1, true) then
        class = "%" .. class -- a plain character here, but special where the class stands alone
      end
      item, at = { kind = "char", class = class, set = sets[class] }, past
      local suffix = sub(p, at, at)
      if suffix ~= "" and find("*+-?", suffix, 1, true) then
        item.repeated = suffix
        at = at + 1
      end
    end
    items[count] = item
  end
  if #open > 0 then
    error("unfinished capture", 0)
  end
  return items, captures
end

return { parse = parse, sets = sets }
