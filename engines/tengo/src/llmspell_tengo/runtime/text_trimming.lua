-- The functions of the module text that trim.

local R = ...

local next = next
local sub = string.sub
local spend = R.spend

local members = {}
local define = R.definer(members)

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
R.runes_of = runes_of

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

R.text_trimming = members
