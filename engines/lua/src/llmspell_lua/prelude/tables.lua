-- The table library of scripts, guarded like the string library.
--
-- C keeps the calls whose work is bounded by what really is in the table. A length may lie (by `__len`, or by a
-- border far from the entries), so shifting many places is done here, where a hook can end it; and so is sorting
-- with a comparator, which may then call the host.

local P = ...
local error, rawget, select, type = error, rawget, select, type
local insert, remove, move, sort, concat = table.insert, table.remove, table.move, table.sort, table.concat
local tointeger, maxinteger = math.tointeger, math.maxinteger
local getmt = debug.getmetatable
local ARRAY, failing = P.ARRAY, P.failing

local MANY <const> = 100000 -- places shifted or sorted in one call of C: some milliseconds

local function is_plain(t)
  local mt = getmt(t)
  return mt == nil or mt == ARRAY
end

local function insert_at(t, count, ...)
  local at, v = ...
  local position = tointeger(at)
  local past = type(t) == "table" and count == 2 and #t + 1
  if not past or not position or position < 1 or position > past then
    return failing(insert, t, ...)
  elseif past - position < MANY and is_plain(t) then
    return insert(t, at, v)
  end
  for i = past, position + 1, -1 do
    t[i] = t[i - 1]
  end
  t[position] = v
end

local function t_insert(t, ...)
  local count = select("#", ...)
  if count == 1 and type(t) == "table" then
    t[#t + 1] = (...)
    return
  end
  return insert_at(t, count, ...)
end

local function t_remove(t, at)
  if type(t) ~= "table" then
    return failing(remove, t, at)
  elseif at == nil then
    return remove(t)
  end
  local last = #t
  local position = tointeger(at)
  if not position or position < 1 or position > last then
    return failing(remove, t, at) -- or it is one of the places beyond the last that C allows
  elseif last - position < MANY and is_plain(t) then
    return remove(t, at)
  end
  local v = t[position]
  for i = position, last - 1 do
    t[i] = t[i + 1]
  end
  t[last] = nil
  return v
end

local function t_move(a, first, last, to, b)
  local target = b == nil and a or b
  local f, e, t = tointeger(first), tointeger(last), tointeger(to)
  if not f or not e or not t or type(a) ~= "table" or type(target) ~= "table" then
    return failing(move, a, first, last, to, target)
  end
  local count = e - f + 1
  if e >= f and (not (f > 0 or e < maxinteger + f) or t > maxinteger - count + 1) then
    return failing(move, a, f, e, t, target)
  elseif e < f or (count <= MANY and is_plain(a) and is_plain(target)) then
    return move(a, f, e, t, target)
  end
  if t > e or t <= f or target ~= a then
    for i = 0, count - 1 do
      target[t + i] = a[f + i]
    end
  else
    for i = count - 1, 0, -1 do
      target[t + i] = a[f + i]
    end
  end
  return target
end

local function t_concat(t, separator, first, last)
  if type(t) ~= "table" then
    return failing(concat, t, separator, first, last)
  elseif is_plain(t) then
    return concat(t, separator, first, last)
  end
  local from, to = first == nil and 1 or tointeger(first), last == nil and #t or tointeger(last)
  if not from or not to then
    return failing(concat, {}, separator, first, last)
  end
  local out, count = {}, 0
  for i = from, to do
    local v = t[i]
    if type(v) ~= "string" and type(v) ~= "number" then
      error("invalid value (at index " .. i .. ") in table for 'concat'", 2)
    end
    count = count + 1
    out[count] = v
  end
  return concat(out, separator)
end

local function t_sort(t, less)
  if type(t) ~= "table" or (less ~= nil and type(less) ~= "function") then
    return failing(sort, t, less)
  end
  local kind = type(t[1])
  if not less and #t <= MANY and is_plain(t) then
    local mt = kind == "table" and getmt(t[1])
    if not (mt and rawget(mt, "__lt")) then
      return sort(t)
    end
  end
  local sorter = P.need("sorter")
  if not sorter then -- inside a callback of C, where no comparator could call the host anyway
    return sort(t, less)
  end
  return sorter(t, less, kind == "number" or kind == "string", is_plain(t) and MANY)
end

return {
  concat = t_concat,
  insert = t_insert,
  move = t_move,
  remove = t_remove,
  sort = t_sort,
}
