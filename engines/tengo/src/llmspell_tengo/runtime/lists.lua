-- The builtin functions that work on arrays and maps.

local R = ...

local setmetatable, rawset, select = setmetatable, rawset, select
local type, math_type, move = type, math.type, table.move
local L, ARR, kind_of, fail = R.L, R.ARR, R.kind_of, R.fail

local function define(name, f)
  R["builtin_" .. name] = f
  R.names[f] = "builtin-function:" .. name
end

define("len", function(n, v)
  if n ~= 1 then
    R.bad_count("builtin-function:len")
  end
  return R.length(v)
end)

define("append", function(n, list, ...)
  if n < 2 then
    R.bad_count("builtin-function:append")
  end
  local kind = kind_of(list)
  if kind ~= "array" and kind ~= "immutable-array" then
    R.bad_argument("builtin-function:append", "first", "array", list)
  end
  local result, size = R.copied_list(R.backing(list), n - 1)
  if n == 2 then
    rawset(result, size, (...))
  else
    local items = { ... }
    for index = 1, n - 1 do
      rawset(result, size + index - 1, items[index])
    end
  end
  return result
end)

define("delete", function(n, map, key)
  if n ~= 2 then
    R.bad_count("builtin-function:delete")
  elseif kind_of(map) ~= "map" then
    R.bad_argument("builtin-function:delete", "first", "map", map)
  elseif type(key) ~= "string" then
    R.bad_argument("builtin-function:delete", "second", "string", key)
  end
  rawset(map, key, nil)
  local kept = R.undefined_keys[map]
  if kept then
    kept[key] = nil
  end
end)

define("splice", function(n, list, start, count, ...)
  if n == 0 then
    R.bad_count("builtin-function:splice")
  elseif kind_of(list) ~= "array" then
    R.bad_argument("builtin-function:splice", "first", "array", list)
  end
  local size = list[L]
  if n < 2 then
    start = 0
  elseif math_type(start) ~= "integer" then
    R.bad_argument("builtin-function:splice", "second", "int", start)
  elseif start < 0 or start > size then
    fail("index out of bounds")
  end
  if n < 3 then
    count = size
  elseif math_type(count) ~= "integer" then
    R.bad_argument("builtin-function:splice", "third", "int", count)
  elseif count < 0 then
    fail("index out of bounds")
  end
  if count > size - start then
    count = size - start
  end
  R.spend(size // 4)
  local removed = move(list, start, start + count - 1, 0, {})
  removed[L] = count
  local items = n > 3 and n - 3 or 0
  local result = size - count + items
  -- raw access: beyond the length an array refuses assignment
  local tail = {}
  for index = 1, size - start - count do
    tail[index] = list[start + count + index - 1]
  end
  for index = result, size - 1 do
    rawset(list, index, nil)
  end
  for index = 1, items do
    rawset(list, start + index - 1, (select(index, ...)))
  end
  for index = 1, size - start - count do
    rawset(list, start + items + index - 1, tail[index])
  end
  list[L] = result
  return setmetatable(removed, ARR)
end)

define("range", function(n, start, stop, step)
  if n < 2 or n > 3 then
    R.bad_count("builtin-function:range")
  elseif math_type(start) ~= "integer" then
    R.bad_argument("builtin-function:range", "start", "int", start)
  elseif math_type(stop) ~= "integer" then
    R.bad_argument("builtin-function:range", "stop", "int", stop)
  end
  if n == 2 then
    step = 1
  elseif math_type(step) ~= "integer" then
    R.bad_argument("builtin-function:range", "step", "int", step)
  elseif step <= 0 then
    fail("range step must be greater than 0")
  end
  local list, count = {}, 0
  local pending = 0
  for value = start, stop, start <= stop and step or -step do
    if value == stop then
      break
    end
    list[count] = value
    count = count + 1
    pending = pending + 1
    if pending == 1000 then
      R.spend(1000)
      pending = 0
    end
  end
  list[L] = count
  return setmetatable(list, ARR)
end)

