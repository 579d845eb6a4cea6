-- What loops go over, and the limits of counting loops.

local R = ...

local type, getmetatable, math_type, move = type, getmetatable, math.type, table.move
local floor, ceil, maxint, minint = math.floor, math.ceil, math.maxinteger, math.mininteger
local L, CODE, ARR, MAP, fail, kind_of = R.L, R.CODE, R.ARR, R.MAP, R.fail, R.kind_of

-- last index, keys (nil: the indexes themselves), values
local function contents(v)
  if type(v) == "table" then
    local mt = getmetatable(v)
    if mt == ARR then
      return v[L] - 1, nil, v
    elseif mt == MAP then
      local keys, count = R.sorted_keys(v)
      return count - 1, move(keys, 1, count, 0, {}), v
    elseif mt.is_stream then
      fail("not iterable: a stream; write stream.each(s, func(v) { ... })")
    elseif mt.immutable then
      return contents(R.backing(v))
    elseif mt.contents then
      return mt.contents(v)
    end
  elseif type(v) == "string" then
    local list, count = R.decoded(v)
    return count - 1, nil, list
  elseif v == nil then
    return -1, nil, nil
  end
  local name = R.type_name(v)
  fail("not iterable: " .. name .. (name == "channel" and "; write channel.each(ch, func(v) { ... })" or ""))
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

