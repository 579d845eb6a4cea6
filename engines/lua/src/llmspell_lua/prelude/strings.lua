-- The string library of scripts, guarded: no call of it runs long inside C, where no hook can end it.
--
-- The C matcher does the work wherever its worst case is small. Beyond that `cost.lua` looks closer, and where
-- that does not help either `matcher.lua` matches in Lua, interruptible. Both are loaded when first needed.

local P = ...
local failing, limits = P.failing, P.limits
local error, tostring, type = error, tostring, type
local byte, find, gmatch, gsub, match, rep =
  string.byte, string.find, string.gmatch, string.gsub, string.match, string.rep
local mathtype, tointeger = math.type, math.tointeger
local getmt = debug.getmetatable

local BUDGET <const> = 50000000 -- steps of the C matcher in one call: about 0.15 s
local PLAIN_BUDGET <const> = 4000000000 -- comparisons of a plain search, a cache line at a time: about 0.1 s
local MAX_REMEMBERED <const> = 300

-- Length of the longest subject that a pattern may meet in C, by pattern.
local longest, remembered = {}, 0

local function remember(p, l)
  if remembered >= MAX_REMEMBERED then
    longest, remembered = {}, 0
  end
  longest[p] = l
  remembered = remembered + 1
  return l
end

-- A rough bound from the pattern's letters alone: every repetition may multiply, every `?` double.
local function bound(p)
  local repetitions, options, at, l = 0, 0, 1, #p
  while at <= l do
    local c = byte(p, at)
    if c == 37 then -- %b and back references scan too
      at = at + 1
      c = byte(p, at)
      if c == 98 or (c and c >= 48 and c <= 57) then
        repetitions = repetitions + 1
      end
    elseif c == 42 or c == 43 or c == 45 then -- * + -
      repetitions = repetitions + 1
    elseif c == 63 then -- ?
      options = options + 1
    end
    at = at + 1
  end
  if options > 24 then
    return remember(p, 0)
  end
  local budget = BUDGET / (1 << options) / (1 + l // 16)
  return remember(p, (budget ^ (1 / (repetitions + 1))) // 1)
end

local function part(name)
  local found = P.need(name)
  if not found then
    error("this search could take too long to run inside a callback; call it outside of it", 3)
  end
  return found
end

-- Numbers count as texts; with anything else C fails as it should.
local function coerced(ours, c, s, p, ...)
  local kind, other = type(s), type(p)
  if (kind == "string" or kind == "number") and (other == "string" or other == "number") then
    return ours(tostring(s), tostring(p), ...)
  end
  return failing(c, s, p, ...)
end

local s_find, s_match, s_gmatch, s_gsub

-- The quick way first: a pattern that was met before is a text.
function s_find(s, p, init, plain)
  local most = longest[p]
  if most and not plain and type(s) == "string" and #s <= most then
    return find(s, p, init)
  elseif type(s) ~= "string" or type(p) ~= "string" then
    return coerced(s_find, find, s, p, init, plain)
  elseif plain then
    if #s * #p <= PLAIN_BUDGET then
      return find(s, p, init, plain)
    end
    return part("cost").find_plain(s, p, init)
  elseif #s <= (most or bound(p)) then
    return find(s, p, init)
  end
  return part("cost").find(s, p, init)
end

function s_match(s, p, init)
  local most = longest[p]
  if most and type(s) == "string" and #s <= most then
    return match(s, p, init)
  elseif type(s) ~= "string" or type(p) ~= "string" then
    return coerced(s_match, match, s, p, init)
  elseif #s <= (most or bound(p)) then
    return match(s, p, init)
  end
  return part("cost").match(s, p, init)
end

function s_gmatch(s, p, init)
  if type(s) ~= "string" or type(p) ~= "string" then
    return coerced(s_gmatch, gmatch, s, p, init)
  end
  if byte(p, 1) == 94 then
    p = "%" .. p -- no anchor here but a plain character: say so, and bounds are remembered for what it is
  end
  if #s <= (longest[p] or bound(p)) then
    return gmatch(s, p, init)
  end
  return part("cost").gmatch(s, p, init)
end

function s_gsub(s, p, repl, max)
  if type(s) ~= "string" or type(p) ~= "string" then
    return coerced(s_gsub, gsub, s, p, repl, max)
  end
  local kind = type(repl)
  if kind == "number" then
    repl, kind = tostring(repl), "string"
  end
  if kind ~= "string" and kind ~= "function" and kind ~= "table" then
    return failing(gsub, s, p, repl, max)
  end
  local in_c = #s <= (longest[p] or bound(p))
  if in_c and (kind == "string" or (kind == "table" and getmt(repl) == nil)) then
    return gsub(s, p, repl, max)
  end
  if max == nil then
    max = #s + 1
  elseif not tointeger(max) then
    return failing(gsub, s, p, repl, max)
  end
  local anchored = byte(p, 1) == 94
  local finder
  if in_c then
    function finder(at)
      return find(s, p, at)
    end
  else
    finder = part("cost").finder(s, p, anchored)
  end
  local substitute = P.need("substitute")
  if not substitute and in_c then -- inside a callback of C, where the function could not call the host anyway
    return gsub(s, p, repl, max)
  end
  return (substitute or part("substitute"))(s, finder, anchored, kind, repl, tointeger(max))
end

local s_rep

function s_rep(s, count, separator)
  if mathtype(count) ~= "integer" or type(s) ~= "string" or (separator ~= nil and type(separator) ~= "string") then
    local times, kind, other = tointeger(count), type(s), type(separator)
    local fits = kind == "string" or kind == "number"
    if times and fits and (other == "string" or other == "number" or other == "nil") then
      return s_rep(tostring(s), times, separator ~= nil and tostring(separator) or nil)
    end
    return failing(rep, s, count, separator)
  end
  local l = #s + (separator and #separator or 0)
  if count <= 0 or l == 0 then
    return ""
  elseif l > limits.string // count then
    error("resulting string too large", 2)
  end
  return rep(s, count, separator)
end

P.forgetters[#P.forgetters + 1] = function()
  longest, remembered = {}, 0
end

return {
  find = s_find,
  gmatch = s_gmatch,
  gsub = s_gsub,
  match = s_match,
  rep = s_rep,
  remember = remember,
  budget = BUDGET,
  plain_budget = PLAIN_BUDGET,
}
