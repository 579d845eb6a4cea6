-- Combinators of `async` beyond `all`.

local P = ...
local S, A, G = P.scheduler, P.async, P.gathering
local check_function, check_seconds = A.check_function, P.seconds
local check_list, futures_of, cancel_all, collect =
  G.check_list, G.futures_of, G.cancel_all, G.collect
local error, ipairs, next, type = error, ipairs, next, type
local pack, unpack = table.pack, table.unpack
local format = string.format
local floor = math.floor

local M = {}

local function describe(err)
  if type(err) == "table" then
    return { code = err.code or "error", message = err.message or "an error" }
  end
  return { code = "error", message = P.tostring(err) }
end

function M.all_settled(list)
  local futures, own = futures_of(list, "all_settled")
  local left = #futures
  if left == 0 then
    return P.array()
  end
  collect(futures, own, function()
    left = left - 1
    return left == 0
  end, format("all of %d", left))
  local results = {}
  for at, future in ipairs(futures) do
    if future.state == "fulfilled" then
      results[at] = { status = "fulfilled", value = future.values[1] }
    else
      results[at] = { status = "rejected", error = describe(future.err) }
    end
  end
  return results
end

function M.race(list)
  local futures, own = futures_of(list, "race")
  if #futures == 0 then
    S.raise("empty", "race of nothing would never end")
  end
  local winner
  collect(futures, own, function(future)
    winner = winner or future
    return true
  end, format("the first of %d", #futures))
  cancel_all(own, "another one was first")
  if winner.state == "rejected" then
    error(winner.err, 0)
  end
  return unpack(winner.values, 1, winner.n)
end

function M.any(list)
  local futures, own = futures_of(list, "any")
  local left, winner = #futures, nil
  if left > 0 then
    collect(futures, own, function(future)
      left = left - 1
      if future.state == "fulfilled" then
        winner = winner or future
      end
      return winner or left == 0
    end, format("any of %d", left))
  end
  cancel_all(own, "another one was first")
  if winner then
    return unpack(winner.values, 1, winner.n)
  end
  local errors = P.array()
  for at, future in ipairs(futures) do
    errors[at] = describe(future.err)
  end
  error(S.make_error("all_failed", format("all of %d failed", #futures), { errors = errors }), 0)
end

function M.map(list, f, options)
  check_list(list, "map")
  check_function(f, 2, "map")
  if options ~= nil and type(options) ~= "table" then
    error("bad argument #3 to 'map' (table expected, got " .. type(options) .. ")", 2)
  end
  local most = 10
  for key, option in next, options or {} do
    if key ~= "concurrency" then
      error("bad argument #3 to 'map' (it has no option '" .. P.tostring(key) .. "', only 'concurrency')", 2)
    end
    most = option
  end
  if type(most) ~= "number" or most < 1 or floor(most) ~= most then
    error("bad argument #3 to 'map' (concurrency must be a whole number from 1 on)", 2)
  end
  local results, next_at, count = {}, 1, #list
  local workers = {}
  for n = 1, most < count and most or count do
    workers[n] = function()
      while next_at <= count do
        local at = next_at
        next_at = at + 1
        local value = f(list[at], at)
        if value == nil then
          value = P.null -- a nil would be a hole
        end
        results[at] = value
      end
    end
  end
  G.all(workers)
  return count == 0 and P.array() or results
end

function M.timeout(seconds, f, ...)
  check_seconds(seconds, 1, "timeout")
  check_function(f, 2, "timeout")
  local task = S.spawn(nil, nil, f, ...)
  local results = pack(P.pcall(S.wait, task.future, seconds, "the function"))
  if not results[1] then
    P.need("stopping").cancel(task, "its time was up")
    error(results[2], 0)
  end
  return unpack(results, 2, results.n)
end

return M
