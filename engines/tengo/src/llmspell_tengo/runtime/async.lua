-- The module async: tasks, their results, their ends.

local R = ...

local type, next, setmetatable, getinfo = type, next, setmetatable, debug.getinfo
local kind_of, check_count, check_function, check_list = R.kind_of, R.check_count, R.check_function, R.check_list
local check_seconds, spawn, observe, result_of = R.check_seconds, R.spawn, R.observe, R.result_of
local park, wake, coded_error = R.park, R.wake, R.coded_error
local L = R.L

local members = {}

-- the future of a task, a promise, or any other value
local function future_of(v)
  local kind = kind_of(v)
  if kind == "task" or kind == "promise" then
    return v[R.STATE].future
  end
  local future = R.new_future()
  R.settle_as(future, v)
  return future
end
R.future_of = future_of

-- futures of a list's items; functions become tasks of the group
local function futures_of(list, group)
  local futures, count = {}, list[L]
  for index = 0, count - 1 do
    local item = list[index]
    futures[index] = type(item) == "function" and spawn(group, item, 0).future or future_of(item)
  end
  return futures, count
end

-- wait until somebody wakes the ticket; then, or if we are cancelled, cancel what is left of a group
local function wait_for_group(group, ticket, name)
  local function cancel()
    R.cancel_group(group)
  end
  park(ticket, "async." .. name, cancel)
  cancel()
end

-- wait until `done` says so, looking at each future that is done; then cancel what is left of the group
local function gather(name, list, look)
  local group = R.new_group()
  local futures, count = futures_of(list, group)
  local ticket = {}
  for index = 0, count - 1 do
    observe(futures[index], function(future)
      if not ticket.woken and look(future, index, count) then
        wake(ticket)
      end
    end)
  end
  if count > 0 then
    wait_for_group(group, ticket, name)
  end
  return futures, count
end

local function all(name, list)
  local done, failed = 0, nil
  local futures, count = gather(name, list, function(future, _, n)
    done = done + 1
    failed = not future.ok and future or nil
    return failed or done == n
  end)
  if failed then
    return result_of(failed)
  end
  local results = {}
  for index = 0, count - 1 do
    results[index] = futures[index].value
  end
  return R.list(count, results)
end

-- code and message of an error value
local function told(e)
  local value = e.value
  if kind_of(value) == "map" or kind_of(value) == "immutable-map" then
    return setmetatable({ code = value.code or "error", message = value.message or R.shown(value) }, R.MAP)
  end
  return setmetatable({ code = "error", message = value == nil and "" or R.shown(value) }, R.MAP)
end

local function all_settled(name, list)
  local done = 0
  local futures, count = gather(name, list, function(_, _, n)
    done = done + 1
    return done == n
  end)
  local results = {}
  for index = 0, count - 1 do
    local future = futures[index]
    local result
    if future.ok then
      result = R.keep_keys(setmetatable({ status = "fulfilled", value = future.value }, R.MAP), "value")
    else
      result = setmetatable({ status = "rejected", error = told(result_of(future)) }, R.MAP)
    end
    results[index] = result
  end
  return R.list(count, results)
end

local function race(name, list)
  local winner
  gather(name, list, function(future)
    winner = future
    return true
  end)
  if not winner then
    return coded_error("empty", name .. " of nothing has no result")
  end
  return result_of(winner)
end

local function any(name, list)
  local winner, done = nil, 0
  local futures, count = gather(name, list, function(future, _, n)
    done = done + 1
    winner = future.ok and future or nil
    return winner or done == n
  end)
  if winner then
    return winner.value
  end
  if count == 0 then
    return coded_error("empty", name .. " of nothing has no result")
  end
  local errors = {}
  for index = 0, count - 1 do
    errors[index] = told(result_of(futures[index]))
  end
  local failed = { code = "all_failed", message = "all " .. count .. " failed", errors = R.list(count, errors) }
  return R.error_value(setmetatable(failed, R.MAP))
end

R.combinators = { all = all, all_settled = all_settled, race = race, any = any }
for name, f in next, R.combinators do
  members[name] = function(n, list)
    check_count(name, n, 1, 1)
    return f(name, check_list(name, "first", list))
  end
end

function members.spawn(n, f, ...)
  check_function("spawn", "first", f)
  return R.task_value(spawn(nil, f, n - 1, ...))
end

function members.await(n, v, seconds)
  check_count("await", n, 1, 2)
  seconds = check_seconds("await", "second", seconds)
  local kind = kind_of(v)
  if kind ~= "task" and kind ~= "promise" then
    return v
  end
  local state = v[R.STATE]
  return R.await(state.future, seconds, kind .. " " .. state.number)
end

function members.sleep(n, seconds)
  check_count("sleep", n, 1, 1)
  if seconds == nil then
    R.bad_argument("user-function:sleep", "first", "seconds", seconds)
  end
  R.sleep(check_seconds("sleep", "first", seconds))
end

members["yield"] = function(n)
  check_count("yield", n, 0, 0)
  R.make_ready(R.task)
  coroutine.yield(R.WAIT)
end

function members.current(n)
  check_count("current", n, 0, 0)
  return R.task.future and R.task_value(R.task) or nil
end

-- f(item, index) for each item, at most so many at once; what takes one argument, or is the host's, gets the item alone
function members.map(n, list, f, options)
  check_count("map", n, 2, 3)
  list = check_list("map", "first", list)
  check_function("map", "second", f)
  local most = 10
  if options ~= nil then
    most = R.option("map", options, { concurrency = true }, "concurrency") or most
    if math.type(most) ~= "integer" or most < 1 then
      R.bad_argument("user-function:map", "concurrency", "int above zero", most)
    end
  end
  local shape = getinfo(f, "u")
  local alone = R.names[f] ~= nil or not shape.isvararg and shape.nparams == 2 -- the first is the hidden count
  local count, results, group, ticket = list[L], {}, R.new_group(), {}
  local at, done, failed = -1, 0, nil
  local function work()
    while at < count - 1 and not failed do
      at = at + 1
      local index = at
      local v
      if alone then
        v = f(1, list[index])
      else
        v = f(2, list[index], index)
      end
      if kind_of(v) == "error" then
        return v
      end
      results[index] = v
    end
  end
  local workers = most < count and most or count
  for _ = 1, workers do
    observe(spawn(group, work, 0).future, function(future)
      done = done + 1
      failed = failed or not future.ok and future or nil
      if failed or done == workers then
        wake(ticket)
      end
    end)
  end
  if workers > 0 then
    wait_for_group(group, ticket, "map")
  end
  if failed then
    return result_of(failed)
  end
  return R.list(count, results)
end

function members.timeout(n, seconds, f, ...)
  check_function("timeout", "second", f)
  if seconds == nil then
    R.bad_argument("user-function:timeout", "first", "seconds", seconds)
  end
  seconds = check_seconds("timeout", "first", seconds)
  local in_time, result = R.within(seconds, "async.timeout", f, n - 2, ...)
  if not in_time then
    return coded_error("timeout", "it took longer than " .. R.shown(seconds) .. " s")
  end
  return result
end

-- Scopes

local as_scope = R.live_type("scope", {}, {
  spawn = function(group, n, f, ...)
    check_function("spawn", "first", f)
    if group.over then
      R.fail("the scope has ended")
    end
    return R.task_value(spawn(group, f, n - 1, ...))
  end,
})

function members.scope(n, f)
  check_count("scope", n, 1, 1)
  check_function("scope", "first", f)
  local group, ticket = R.new_group(), {}
  local scope = as_scope(group)
  local failed
  function group.on_end(task)
    local future = task.future
    if not future.ok and not future.cancelled and not failed then
      failed = future
      future.handled = true
      wake(ticket)
    elseif group.count == 0 then
      wake(ticket)
    end
  end
  local body = spawn(group, f, 1, scope).future
  body.handled = true
  local function cancel()
    group.over = true
    R.cancel_group(group)
  end
  park(ticket, "async.scope", cancel)
  if failed then
    observe(failed, function() end)
    cancel()
    return result_of(failed)
  end
  group.over = true
  return result_of(body)
end

-- Tokens

local as_token = R.live_type("token", {
  cancelled = function(token)
    return token.done == true
  end,
  reason = function(token)
    return token.reason
  end,
}, {
  cancel = function(token, n, reason)
    check_count("cancel", n, 0, 1)
    if token.done then
      return
    end
    token.done, token.reason = true, reason
    for index = 1, #token.handlers do
      token.handlers[index](token)
    end
  end,
  on_cancel = function(token, n, f)
    check_count("on_cancel", n, 1, 1)
    check_function("on_cancel", "first", f)
    local function run()
      spawn(nil, f, 1, token.reason)
    end
    if token.done then
      run()
    else
      token.handlers[#token.handlers + 1] = run
    end
  end,
  check = function(token, n)
    check_count("check", n, 0, 0)
    if token.done then
      return coded_error("cancelled", token.reason ~= nil and R.shown(token.reason) or "it was cancelled")
    end
  end,
})

function members.token(n)
  check_count("token", n, 0, 0)
  return as_token({ handlers = {} })
end

function members.with_token(n, token, f, ...)
  local state = R.state_of(token, "token")
  if not state then
    R.bad_argument("user-function:with_token", "first", "token", token)
  end
  check_function("with_token", "second", f)
  local task = spawn(nil, f, n - 2, ...)
  local function cancel()
    R.cancel(task, state.reason ~= nil and R.shown(state.reason) or nil)
  end
  if state.done then
    cancel()
  else
    state.handlers[#state.handlers + 1] = cancel
  end
  return R.task_value(task)
end

R.define_module("async", members)
