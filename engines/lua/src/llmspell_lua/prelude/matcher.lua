-- Lua patterns matched in Lua, so that a hook can end it: what C's matcher does, from its documented behaviour.
--
-- A pattern is compiled into closures, one an item, each of which matches from a position and calls the next. They
-- return the position after the match, or nothing.

local P = ...
local parse = P.patterns.parse
local byte, find, sub = string.byte, string.find, string.sub
local unpack = table.unpack

-- Return whether the part of a pattern from an item on must start with one class, and that item.
local function leading(items, at)
  for i = at, #items do
    local item = items[i]
    if item.kind == "char" then
      return (not item.repeated or item.repeated == "+") and item or nil
    elseif item.kind ~= "open" and item.kind ~= "close" and item.kind ~= "position" then
      return nil
    end
  end
  return nil
end

local function compile(s, items)
  local l, tick = #s, P.tick
  local starts, stops = {}, {}
  local make = {}

  function make.char(item, rest, lead)
    local set, class, repeated = item.set, item.class, item.repeated
    if not repeated then
      return function(i)
        if set[byte(s, i)] then
          return rest(i + 1)
        end
      end
    elseif repeated == "?" then
      return function(i)
        return set[byte(s, i)] and rest(i + 1) or rest(i)
      end
    end
    local run = "^" .. class .. "*"
    local lead_set = lead and lead.set
    if repeated == "-" then
      local lead_class = lead and lead.class
      return function(i)
        if not lead_class then
          while true do
            local past = rest(i)
            if past then
              return past
            elseif not set[byte(s, i)] then
              return nil
            end
            i = i + 1
          end
        end
        local _, stop = find(s, run, i)
        while true do
          local at = find(s, lead_class, i)
          tick(l)
          if not at or at > stop + 1 then
            return nil
          end
          local past = rest(at)
          if past then
            return past
          elseif at > stop then
            return nil
          end
          i = at + 1
        end
      end
    end
    local least = repeated == "+" and 1 or 0
    return function(i)
      local _, stop = find(s, run, i)
      tick(l)
      for at = stop + 1, i + least, -1 do
        if not lead_set or lead_set[byte(s, at)] then
          local past = rest(at)
          if past then
            return past
          end
        end
      end
    end
  end

  function make.open(item, rest)
    local index = item.index
    return function(i)
      local before = starts[index]
      starts[index] = i
      local past = rest(i)
      if not past then
        starts[index] = before
      end
      return past
    end
  end

  function make.close(item, rest)
    local index = item.index
    return function(i)
      local before = stops[index]
      stops[index] = i
      local past = rest(i)
      if not past then
        stops[index] = before
      end
      return past
    end
  end

  function make.position(item, rest)
    local index = item.index
    return function(i)
      starts[index], stops[index] = i, nil
      return rest(i)
    end
  end

  function make.balance(item, rest)
    local opening, closing = item.opening, item.closing
    return function(i)
      if byte(s, i) ~= opening then
        return nil
      end
      local depth = 1
      for at = i + 1, l do
        local c = byte(s, at)
        if c == closing then
          depth = depth - 1
          if depth == 0 then
            return rest(at + 1)
          end
        elseif c == opening then
          depth = depth + 1
        end
      end
    end
  end

  function make.frontier(item, rest)
    local set = item.set
    return function(i)
      local before, here = i > 1 and byte(s, i - 1) or 0, byte(s, i) or 0
      if not set[before] and set[here] then
        return rest(i)
      end
    end
  end

  function make.back(item, rest)
    local index, never = item.index, item.never
    return function(i)
      if never then
        return nil
      end
      local from, past = starts[index], stops[index]
      local length = past - from
      if i + length <= l + 1 and sub(s, i, i + length - 1) == sub(s, from, past - 1) then
        return rest(i + length)
      end
    end
  end

  make["end"] = function(_, rest)
    return function(i)
      if i == l + 1 then
        return rest(i)
      end
    end
  end

  local node = function(i)
    return i
  end
  for at = #items, 1, -1 do
    local item = items[at]
    node = make[item.kind](item, node, leading(items, at + 1))
  end
  return node, starts, stops
end

-- Return a function that finds the first match at or after a position, as string.find does.
return function(s, p, anchored)
  local items, captures = parse(p, anchored and 2 or 1)
  local root, starts, stops = compile(s, items)
  local lead = leading(items, 1)
  local class = lead and lead.class

  local function found(start, past)
    if captures == 0 then
      return start, past - 1
    end
    local values = {}
    for index = 1, captures do
      values[index] = stops[index] and sub(s, starts[index], stops[index] - 1) or starts[index]
    end
    return start, past - 1, unpack(values, 1, captures)
  end

  return function(at)
    while at and at <= #s + 1 do
      if class and not anchored then
        at = find(s, class, at)
        if not at then
          return nil
        end
      end
      local past = root(at)
      if past then
        return found(at, past)
      elseif anchored then
        return nil
      end
      at = at + 1
    end
    return nil
  end
end
