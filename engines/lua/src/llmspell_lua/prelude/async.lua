-- The module `async`: tasks, and waiting for all of some. The rest of it is in `combining`, `scopes` and `tokens`.

local P = ...
local S, need = P.scheduler, P.need
local control = P.control
local error, ipairs, next, type = error, ipairs, next, type
local format = string.format

local A = {}

local function check_list(list, name)
  if type(list) ~= "table" or S.future_of(list) then
    error("bad argument #1 to '" .. name .. "' (list expected, got " .. type(list) .. ")", 3)
  end
end

local function check_function(f, at, name)
  if type(f) ~= "function" then
    error(format("bad argument #%d to '%s' (function expected, got %s)", at, name, type(f)), 3)
  end
end

local function check_seconds(seconds, at, name)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error(format("bad argument #%d to '%s' (seconds expected)", at, name), 3)
  end
end

function A.spawn(f, ...)
  check_function(f, 1, "spawn")
  return need("taskproxy")(S.spawn(nil, nil, f, ...))
end

function A.current()
  local task = control.task
  return task.future and need("taskproxy")(task) or nil
end

function A.await(x, seconds)
  local future = S.future_of(x)
  if not future then
    return x
  end
  if seconds ~= nil then
    check_seconds(seconds, 2, "await")
  end
  return S.wait(future, seconds, future.task and future.task.name or "the promise")
end

function A.sleep(seconds)
  check_seconds(seconds, 1, "sleep")
  return P.ask("@host", "sleep", seconds)
end

A["yield"] = function()
  local task = control.task
  S.check_cancelled(task)
  S.wake(task)
  P.yield_host("its turn")
  S.check_cancelled(task)
end

-- Combinators. Items become futures; functions are spawned, and only those are cancelled here.

local function futures_of(list, name)
  check_list(list, name)
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

-- Wait until `decide(future, at)` says so. If the waiting itself is cancelled, so are the functions spawned for it.
local function collect(futures, own, decide, what)
  local done = S.new_future()
  for at, future in ipairs(futures) do
    S.when_settled(future, function(settled)
      if done.state == "pending" and decide(settled, at) then
        S.fulfil(done)
      end
    end)
  end
  local ok, problem = P.pcall(S.wait, done, nil, what)
  if not ok then
    cancel_all(own, "nobody waits for it any more")
    error(problem, 0)
  end
end

local function first_value(future)
  return future.n > 0 and future.values[1] or nil
end

function A.all(list)
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

S.check_list, S.check_function, S.check_seconds = check_list, check_function, check_seconds
S.futures_of, S.cancel_all, S.collect, S.first_value = futures_of, cancel_all, collect, first_value

for part, names in
  next,
  {
    combining = { "all_settled", "race", "any", "map", "timeout" },
    scopes = { "scope" },
    tokens = { "token", "with_token" },
  }
do
  for _, name in ipairs(names) do
    A[name] = P.stub(part, name)
  end
end

return A
