-- A closer look at patterns whose rough bound is too high for C, and searching in steps that C does quickly.
--
-- Most patterns that look expensive are not: where a repetition is followed by what its class cannot match, giving
-- characters back never helps, and C finds that out at once. `analyse` computes the degree of the polynomial that
-- bounds the work of one attempt, and of one search. Where only the search is expensive, because attempts are made
-- from every position, each attempt is one call of C here, so that a hook can end the search. The rest is for
-- `matcher.lua`.

local P = ...
local strings = P.strings
local BUDGET, PLAIN_BUDGET = strings.budget, strings.plain_budget
local parse = P.patterns.parse
local error, next, select, type = error, next, select, type
local byte, find, sub = string.byte, string.find, string.sub
local pack, unpack = table.pack, table.unpack
local tointeger = math.tointeger

local function disjoint(a, b)
  if a == true or b == true then
    return false
  end
  for c in next, a do
    if b[c] then
      return false
    end
  end
  return true
end

local function union(a, b)
  if a == true or b == true then
    return true
  end
  local both = {}
  for c in next, a do
    both[c] = true
  end
  for c in next, b do
    both[c] = true
  end
  return both
end

-- For the part of the pattern from an item on:
--   first     bytes it can start with (true: any); starting elsewhere it fails at once
--   always    it matches at every position
--   at_end    it matches at the end of the subject
--   degree    of the work of one attempt
--   failing   of the work of an attempt that fails; -1: none fails
--   doubles   ambiguous `?`, each of which may double the work
--   runs      bytes of all its repetitions
local function analyse(items)
  local first, always, at_end, degree, failing, doubles, runs = true, true, true, 0, -1, 0, {}
  for at = #items, 1, -1 do
    local item = items[at]
    local kind, repeated = item.kind, item.repeated
    if kind == "end" then
      first, always, degree, failing = {}, false, 0, 0
    elseif kind == "char" then
      local set = item.set
      if not repeated then
        first, always, at_end = set, false, false
        failing = failing > 0 and failing or 0
      else
        runs = union(runs, set)
        local free = disjoint(set, first) -- what follows cannot start inside the run
        local any = item.class == "."
        if repeated == "?" then
          if not always and not free then
            doubles = doubles + 1
          end
          failing = always and -1 or degree
        else
          local work = (always or free) and 1 or degree + 1
          if degree > work then
            work = degree
          end
          local never = always or (any and repeated ~= "+" and at_end)
          failing = never and -1 or work
          if repeated == "+" and always then
            failing = 0
          end
          degree = work
        end
        if repeated == "+" then
          first, always, at_end = set, false, false
        else
          always = always or (any and repeated ~= "?" and at_end)
          first = union(set, first)
        end
      end
    elseif kind == "balance" then
      first, always, at_end = { [item.opening] = true }, false, false
      runs = true
      degree = degree > 1 and degree or 1
      failing = degree
    elseif kind == "back" then
      first, always, at_end = true, false, false
      runs = true
      degree = degree > 1 and degree or 1
      failing = degree
    elseif kind == "frontier" then
      always, at_end = false, false
      failing = degree
    end
  end
  return first, degree, failing, doubles, runs
end

local plans, planned = {}, 0

-- Decide how a pattern is searched for. `longest`: of subjects that C may search at one go; `attempt`: of those it
-- may try at one position; `class`: what a match must start with, if that is one class.
local function plan_of(p, anchored)
  local key = (anchored and "^" or " ") .. p
  local plan = plans[key]
  if plan then
    return plan
  end
  local items = parse(p, anchored and 2 or 1)
  local first, degree, failing, doubles, runs = analyse(items)
  local search = degree
  if not anchored then
    local linear = degree <= 1 and (failing <= 0 or disjoint(first, runs))
    if not linear then
      search = 1 + (degree > failing and degree or failing)
    elseif search < 1 then
      search = 1
    end
  end
  local budget = BUDGET / (1 + #p // 16)
  budget = doubles > 40 and 0 or budget / (1 << doubles)
  local head = items[1]
  for at = 1, #items do
    head = items[at]
    if head.kind ~= "open" and head.kind ~= "position" then
      break
    end
  end
  plan = {
    longest = budget ^ (1 / search) // 1,
    attempt = degree == 0 and (budget >= 1 and 1 << 40 or 0) or budget ^ (1 / degree) // 1,
    class = head and head.kind == "char" and (not head.repeated or head.repeated == "+") and head.class,
  }
  if planned > 200 then
    plans, planned = {}, 0
  end
  plans[key], planned = plan, planned + 1
  return plan
end

-- A hook that counts instructions comes late where each of them is a long call of C: look after so many bytes.
local LOOK_AFTER <const> = 4000000
local worked = 0

local function tick(bytes)
  worked = worked + bytes
  if worked > LOOK_AFTER then
    worked = 0
    P.task_hook()
  end
end

P.tick = tick

-- Return a function that finds the first match at or after a position, as string.find does.
local function finder(s, p, anchored)
  local plan = plan_of(p, anchored)
  local l = #s
  if l <= plan.longest then
    return function(at)
      return find(s, p, at)
    end
  end
  if l > plan.attempt then
    local matcher = P.need("matcher")
    if not matcher then
      error("this search could take too long to run inside a callback of C code; call it outside of it", 0)
    end
    return matcher(s, p, anchored)
  end
  if anchored then
    return function(at)
      return find(s, p, at)
    end
  end
  local from_here, class = "^" .. p, plan.class
  return function(at)
    while at <= l + 1 do
      if class then
        at = find(s, class, at)
        if not at then
          return nil
        end
      end
      if find(s, from_here, at) then
        return find(s, from_here, at)
      end
      tick(l)
      at = at + 1
    end
    return nil
  end
end

local function is_anchored(p)
  return byte(p, 1) == 94
end

-- Where a search begins; nil if beyond the end.
local function begin_at(s, init)
  local at = init == nil and 1 or tointeger(init)
  if not at then
    return find(s, "", init) -- to fail as C does
  elseif at < 0 then
    at = #s + at + 1
  end
  if at < 1 then
    at = 1
  end
  return at <= #s + 1 and at or nil
end

-- Let the guards of the string library know what this closer look has found.
local function learn(p, anchored)
  local plan = plan_of(p, anchored)
  strings.remember(p, plan.longest)
  return plan
end

local function matched(s, start, stop, ...)
  if not start then
    return nil
  elseif select("#", ...) == 0 then
    return sub(s, start, stop)
  end
  return ...
end

local M = {}

M.finder = function(s, p, anchored)
  learn(p, anchored)
  return finder(s, p, anchored)
end

function M.find(s, p, init)
  local at = begin_at(s, init)
  if not at then
    return nil
  end
  learn(p, is_anchored(p))
  return finder(s, p, is_anchored(p))(at)
end

function M.match(s, p, init)
  local at = begin_at(s, init)
  if not at then
    return nil
  end
  learn(p, is_anchored(p))
  return matched(s, finder(s, p, is_anchored(p))(at))
end

function M.gmatch(s, p, init)
  local at, last = begin_at(s, init) or #s + 2, nil
  learn(p, false)
  local search = finder(s, p, false)
  local function step(start, stop, ...)
    if not start then
      at = #s + 2
      return false
    end
    if stop + 1 == last then -- an empty match right after the last one does not count
      at = at + 1
      return at <= #s + 1
    end
    at, last = stop + 1, stop + 1
    return pack(matched(s, start, stop, ...))
  end
  return function()
    while at <= #s + 1 do
      local found = step(search(at))
      if type(found) == "table" then
        return unpack(found, 1, found.n)
      elseif not found then
        return nil
      end
    end
    return nil
  end
end

-- A plain search in windows: their size keeps each call of C short.
function M.find_plain(s, p, init)
  local at = begin_at(s, init)
  local window = PLAIN_BUDGET // (64 * #p)
  if window < 16 then
    window = 16
  end
  while at and at + #p - 1 <= #s do
    local start = find(sub(s, at, at + window + #p - 2), p, 1, true)
    if start then
      return at + start - 1, at + start + #p - 2
    end
    at = at + window
    tick(LOOK_AFTER + 1)
  end
  return nil
end

P.forgetters[#P.forgetters + 1] = function()
  plans, planned = {}, 0
end

return M
