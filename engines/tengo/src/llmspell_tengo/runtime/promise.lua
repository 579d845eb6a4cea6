-- The module promise.

local R = ...

local next, type = next, type
local check_count, check_function, check_seconds, spawn = R.check_count, R.check_function, R.check_seconds, R.spawn
local observe, settle, result_of, kind_of = R.observe, R.settle, R.result_of, R.kind_of

local as_promise

local function new_promise()
  local future = R.new_future()
  future.promise, future.number, future.place = true, R.count_number(), R.place()
  local state = { future = future, number = future.number }
  as_promise(state)
  return state
end

-- take the outcome of another future
local function follow(future, other)
  observe(other, function()
    if other.ok then
      settle(future, true, other.value)
    else
      settle(future, false, other.error, other.raw)
    end
  end)
end

-- settle as with a value: one that will come later is waited for
local function resolve(future, v)
  local kind = kind_of(v)
  if kind == "task" or kind == "promise" then
    if v[R.STATE].future == future then
      settle(future, false, R.coded_error("cycle", "a promise cannot be resolved with itself"))
      return
    end
    follow(future, v[R.STATE].future)
  else
    settle(future, true, v)
  end
end

local function reject(future, v)
  settle(future, false, kind_of(v) == "error" and v or R.error_value(v))
end

-- run a handler with the outcome as a task of its own; what it returns settles the promise
local function handle(future, f, n, ...)
  observe(spawn(nil, f, n, ...).future, function(its)
    if its.ok then
      resolve(future, its.value)
    else
      settle(future, false, its.error, its.raw)
    end
  end)
end

local function then_(state, on_value, on_error)
  local made = new_promise()
  local future = made.future
  observe(state.future, function(its)
    if its.ok then
      if on_value then
        handle(future, on_value, 1, its.value)
      else
        settle(future, true, its.value)
      end
    elseif on_error then
      -- the failure is put into words in a task
      handle(future, function()
        return on_error(1, result_of(its))
      end, 0)
    else
      settle(future, false, its.error, its.raw)
    end
  end)
  return made.value
end

local methods = {}

function methods.and_then(state, n, f, g)
  check_count("and_then", n, 1, 2)
  if f ~= nil then
    check_function("and_then", "first", f)
  end
  if g ~= nil then
    check_function("and_then", "second", g)
  end
  return then_(state, f, g)
end

function methods.on_error(state, n, f)
  check_count("on_error", n, 1, 1)
  check_function("on_error", "first", f)
  return then_(state, nil, f)
end

function methods.on_finally(state, n, f)
  check_count("on_finally", n, 1, 1)
  check_function("on_finally", "first", f)
  local function run(_, outcome)
    local v = f(0)
    local kind = kind_of(v)
    if kind == "task" or kind == "promise" then
      v = R.await(v[R.STATE].future, nil, kind .. " " .. v[R.STATE].number)
    end
    if kind_of(v) == "error" then
      return v
    end
    return outcome
  end
  return then_(state, run, run)
end

function methods.await(state, n, seconds)
  check_count("await", n, 0, 1)
  return R.await(state.future, check_seconds("await", "first", seconds), "promise " .. state.number)
end

for alias, name in
  next,
  {
    next = "and_then",
    catch = "on_error",
    finally = "on_finally",
    andThen = "and_then",
    onError = "on_error",
    onFinally = "on_finally",
  }
do
  methods[alias] = methods[name]
end

as_promise = R.live_type("promise", {
  status = function(state)
    local future = state.future
    return not future.done and "pending" or future.ok and "fulfilled" or "rejected"
  end,
}, methods)

local members = {}

function members.new(n, f)
  check_count("new", n, 1, 1)
  check_function("new", "first", f)
  local state = new_promise()
  local future, decided = state.future, false
  local function once(settle_with)
    return function(_, v)
      if not decided then
        decided = true
        settle_with(future, v)
      end
    end
  end
  local resolve_, reject_ = once(resolve), once(reject)
  R.names[resolve_], R.names[reject_] = "user-function:resolve", "user-function:reject"
  f(2, resolve_, reject_)
  return state.value
end

function members.resolve(n, v)
  check_count("resolve", n, 0, 1)
  if kind_of(v) == "promise" then
    return v
  end
  local state = new_promise()
  resolve(state.future, v)
  return state.value
end

function members.reject(n, v)
  check_count("reject", n, 0, 1)
  local state = new_promise()
  reject(state.future, v)
  return state.value
end

-- a promise of what f returns
local function promised(f, n, ...)
  local state = new_promise()
  handle(state.future, f, n, ...)
  return state.value
end

function members.spawn(n, f, ...)
  check_function("spawn", "first", f)
  return promised(f, n - 1, ...)
end

function members.async(n, f)
  check_count("async", n, 1, 1)
  check_function("async", "first", f)
  return function(count, ...)
    return promised(f, count, ...)
  end
end

function members.sleep(n, seconds)
  check_count("sleep", n, 1, 1)
  if type(seconds) ~= "number" then
    R.bad_argument("user-function:sleep", "first", "seconds", seconds)
  end
  seconds = check_seconds("sleep", "first", seconds)
  return promised(function()
    R.sleep(seconds)
  end, 0)
end

function members.await(n, v, seconds)
  return R.members.async.await(n, v, seconds)
end

-- a promise of what a function, task or promise gives within some seconds
function members.timeout(n, seconds, v)
  check_count("timeout", n, 2, 2)
  if seconds == nil then
    R.bad_argument("user-function:timeout", "first", "seconds", seconds)
  end
  seconds = check_seconds("timeout", "first", seconds)
  return promised(function()
    return R.members.async[type(v) == "function" and "timeout" or "await"](
      2,
      type(v) == "function" and seconds or v,
      type(v) == "function" and v or seconds
    )
  end, 0)
end

-- promises of what the module async waits for
for name, f in next, R.combinators do
  members[name] = function(n, list)
    check_count(name, n, 1, 1)
    list = R.check_list(name, "first", list)
    return promised(function()
      return f(name, list)
    end, 0)
  end
end

R.define_module("promise", members)
