-- Calls that go wrong, and calls with a list of arguments.

local R = ...

local type, select, error, unpack = type, select, error, table.unpack
local L, kind_of, type_name, fail = R.L, R.kind_of, R.type_name, R.fail

function R.bad_arity(got, want, variadic)
  error("\1s\1wrong number of arguments: want" .. (variadic and ">=" or "=") .. want .. ", got=" .. got, 0)
end

function R.bad_count(name)
  error("\1e\1wrong number of arguments in call to '" .. name .. "'", 0)
end

function R.bad_argument(name, which, expected, found)
  error(
    "\1e\1invalid type for argument '" .. which .. "' in call to '" .. name .. "': expected " .. expected
      .. ", found " .. type_name(found),
    0
  )
end

local MOST_ARGUMENTS <const> = 250000 -- Lua's stack holds a million values

-- f(a, b, list...): count arguments stand before the list
function R.spread(count, f, ...)
  if type(f) ~= "function" then
    R.not_callable(f)
  end
  local list = (select(count + 1, ...))
  local kind = kind_of(list)
  if kind ~= "array" and kind ~= "immutable-array" then
    fail("not an array: " .. type_name(list))
  end
  list = R.backing(list)
  local n = list[L]
  if n > MOST_ARGUMENTS then
    fail("too many arguments in call: " .. count + n .. ", at most " .. MOST_ARGUMENTS)
  end
  if count == 0 then
    return f(n, unpack(list, 0, n - 1))
  end
  local args = { ... }
  for index = 1, n do
    args[count + index] = list[index - 1]
  end
  return f(count + n, unpack(args, 1, count + n))
end

-- the arguments from the skip-th on, of n
function R.rest(n, skip, ...)
  local list, count = {}, n - skip
  for index = 0, count - 1 do
    list[index] = (select(skip + index + 1, ...))
  end
  list[L] = count
  return setmetatable(list, R.ARR)
end

