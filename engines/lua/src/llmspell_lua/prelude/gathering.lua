-- `async.all`, and what the other combinators share with it.

local P = ...
local S, need = P.scheduler, P.need
local error, ipairs, type = error, ipairs, type
local format = string.format

local G = {}

local function check_list(list, name)
  if type(list) ~= "table" or S.future_of(list) then
    error("bad argument #1 to '" .. name .. "' (list expected, got " .. type(list) .. ")", 3)
  end
end

-- Items become futures; functions are spawned, and only those are cancelled here.

local function futures_of(list, name)
  check_list(list, name)
  for at = 1, #list do
    if list[at] == nil then
      error(format("bad argument #1 to '%s' (item %d is nil)", name, at), 3)
    end
  end
  local futures, own = {}, {}
  for at, item in ipairs(list) do
    local future = S.future_of(item)
    if type(item) == "function" then
      local task = S.spawn(nil, nil, item)
      task.future.handled = true
      own[#own + 1] = task
      future = task.future
    elseif not future then
      future = S.new_future()
      S.fulfil(future, item)
    end
    futures[at] = future
  end
  return futures, own
end

local function cancel_all(own, reason)
  for _, task in ipairs(own) do
    need("stopping").cancel(task, reason)
  end
end

-- Wait until `decide(future)` says so. If the waiting itself is cancelled, so are the functions spawned for it.
local function collect(futures, own, decide, what)
  local done = S.new_future()
  local function react(future)
    if done.state == "pending" and decide(future) then
      S.fulfil(done)
    end
  end
  for _, future in ipairs(futures) do
    S.when_settled(future, react)
  end
  local ok, problem = P.pcall(S.wait, done, nil, what)
  if not ok then
    cancel_all(own, "nobody waits for it any more")
    error(problem, 0)
  end
end

-- The first result of a future, as it stands in a list: there null takes the place of nil, which would be a hole.
local function first_value(future)
  local value = future.values[1]
  if value == nil then
    return P.null
  end
  return value
end

function G.all(list)
  local futures, own = futures_of(list, "all")
  local left, failed = #futures, nil
  if left == 0 then
    return P.array()
  end
  collect(futures, own, function(future)
    left = left - 1
    if future.state == "rejected" then
      failed = failed or future
    end
    return failed or left == 0
  end, format("all of %d", left))
  if failed then
    cancel_all(own, "another one failed")
    error(failed.err, 0)
  end
  local results = {}
  for at, future in ipairs(futures) do
    results[at] = first_value(future)
  end
  return results
end

G.check_list, G.futures_of, G.cancel_all, G.collect = check_list, futures_of, cancel_all, collect
return G
