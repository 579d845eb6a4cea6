-- Tasks that scripts make: spawning, waiting, cancelling, ending. See docs/explanation/concurrency.md.
--
-- Everything that can be waited for is a *future*: a table with `state` ("pending", "fulfilled", "rejected"),
-- `values` and `n` or `err`, `waiters` (tasks that are parked for it) and `handled`. A task of the script is a record
-- of the scheduler with a future of its own. Scripts hold proxies, which `future_of` maps to futures.
--
-- Thousands of guests may wait at once, each with a copy of this: what only some of them need is in parts of its own
-- (`stopping`, `timers`, `winding`, `taskproxy`).

local P = ...
local control, begin, make_ready, need, yield_host = P.control, P.begin, P.make_ready, P.need, P.yield_host
local select, setmetatable, type = select, setmetatable, type
local error = error
local getinfo = debug.getinfo
local unpack = table.unpack
local format = string.format

local S = {}

local future_of = setmetatable({}, { __mode = "k" }) -- proxies of tasks and promises -> futures

-- The tasks of this run:
--   open, count: those of scripts that have not ended, by record
--   rejected: rejected futures that nobody had handled when they were, in order
--   number: of the task made last
--   main_waits: the main task, while it waits for the others to end
local T = {}

local function fresh()
  T.open, T.count, T.rejected, T.number, T.main_waits = {}, 0, {}, 0, false
end

-- Errors of ours

local function make_error(code, message, extra)
  return need("errors").make(code, message, extra)
end

local function raise(code, message)
  error(make_error(code, message), 0)
end

S.make_error, S.raise = make_error, raise

-- The line of the script that is running, for messages.
local function here()
  for level = 3, 12 do
    local info = getinfo(level, "Sl")
    if not info then
      return ""
    end
    if info.currentline > 0 then
      return format("%s:%d", info.short_src, info.currentline)
    end
  end
  return ""
end

S.here = here

-- Parking and waking

-- A task is in the bodies of the scopes that `task.body` and its `outer`s name; where one failed it must leave.
local function check_cancelled(task)
  if task.cancelled then
    raise("cancelled", task.cancelled)
  end
  local scope = task.body
  while scope do
    if scope.failed then
      raise("cancelled", "a task of the scope failed")
    end
    scope = scope.outer
  end
end

-- Suspend the running task until somebody wakes it; return what `wake` passed. `place` is a list it is put into, so
-- that a cancellation can take it out again (where a list is not enough, `task.abandon` does); `what` says what it
-- waits for. `anyway` is for waiting that is sure to end: a cancelled task may do that, too.
local function park(place, what, anyway)
  local task = control.task
  if not anyway then
    check_cancelled(task)
  end
  task.parked = true
  task.place, task.waits_for, task.waits_at = place, what, here()
  if place then
    place[#place + 1] = task
  end
  local ok, a, b = yield_host(what)
  task.place, task.waits_for = nil, nil
  if not ok then
    error(a, 0)
  end
  return a, b
end

-- Wake a parked task with up to two values. The task must have been taken out of its place.
local function wake(task, a, b)
  task.parked = false
  task.woken = { true, a, b }
  make_ready(task)
end

S.park, S.wake, S.check_cancelled = park, wake, check_cancelled

-- Futures

function S.new_future()
  return { state = "pending", n = 0, waiters = {} }
end

local function settled(future)
  local waiters = future.waiters
  future.waiters = {}
  for at = 1, #waiters do
    local waiter = waiters[at]
    if type(waiter) == "function" then
      waiter(future)
    else
      wake(waiter, true)
    end
  end
end

function S.fulfil(future, ...)
  if future.state == "pending" then
    future.state, future.n, future.values = "fulfilled", select("#", ...), { ... }
    settled(future)
  end
end

function S.reject(future, err, frames)
  if future.state == "pending" then
    future.state, future.err, future.frames = "rejected", err, frames
    if #future.waiters == 0 and not future.handled then
      local rejected = T.rejected
      rejected[#rejected + 1] = future
    end
    settled(future)
  end
end

-- Call `react(future)` when it is settled, from the scheduler; at once if it is.
function S.when_settled(future, react)
  future.handled = true
  if future.state == "pending" then
    future.waiters[#future.waiters + 1] = react
  else
    react(future)
  end
end

-- Wait for a future; return its values or raise its error.
function S.wait(future, seconds, what)
  future.handled = true
  if future.state == "pending" then
    if future.task and future.task == control.task then
      raise("deadlock", "a task cannot wait for itself")
    end
    if seconds then
      need("timers").park(future, seconds, what)
    else
      park(future.waiters, what)
    end
  end
  if future.state == "rejected" then
    error(future.err, 0)
  end
  return unpack(future.values, 1, future.n)
end

-- Tasks

local function pack(...)
  return { n = select("#", ...), ... }
end

local function run_spawned(task)
  check_cancelled(task)
  return pack(task.f(unpack(task, 1, task.count)))
end

local function leave_scope(task)
  local scope = task.scope
  if scope then
    scope.tasks[task] = nil
    scope.count = scope.count - 1
    if scope.count == 0 and scope.owner_waits then
      local owner = scope.owner_waits
      scope.owner_waits = nil
      wake(owner)
    end
  end
end

-- A task ended: `results` is a packed list, or nil with an error.
local function ended(task, results, err)
  T.open[task] = nil
  T.count = T.count - 1
  local future = task.future
  local scope = task.scope
  local cancelled = task.cancelled
  task.cancelled = nil -- what its end sets off is not cancelled
  if results then
    task.status = "done"
    S.fulfil(future, unpack(results, 1, results.n))
  else
    task.status = cancelled and "cancelled" or "failed"
    if cancelled then
      future.handled = true
    end
    if scope and not cancelled then
      future.handled = true
      scope.fail(err)
    end
    S.reject(future, err, task.frames)
  end
  leave_scope(task)
  local main = T.main_waits
  if main and T.count == 0 then
    T.main_waits = false
    wake(main)
  end
end

-- Make a task that runs `f` with the given arguments when the running one suspends. Returns its record.
function S.spawn(scope, name, f, ...)
  if type(f) ~= "function" then
    error("bad argument #1 to 'spawn' (function expected, got " .. type(f) .. ")", 3)
  end
  check_cancelled(control.task)
  if T.count >= P.limits.tasks then
    raise("too_many_tasks", format("more than %d tasks (limit: tasks)", P.limits.tasks))
  end
  local number = T.number + 1
  T.number = number
  local future = S.new_future()
  local task = {
    number = number,
    name = name or "task " .. number,
    run = run_spawned,
    f = f,
    count = select("#", ...),
    settle = ended,
    future = future,
    status = "running",
    scope = scope,
    spawned_at = here(),
    ...,
  }
  future.task = task
  T.open[task] = true
  T.count = T.count + 1
  if scope then
    scope.tasks[task] = true
    scope.count = scope.count + 1
  end
  P.fresh(begin(task))
  return task
end

function S.future_of(value)
  return type(value) == "table" and future_of[value] or nil
end

function S.register(proxy, future)
  P.opaque[proxy] = "promise"
  future_of[proxy] = future
end

P.forgetters[#P.forgetters + 1] = fresh
fresh()

S.run, S.future_by_proxy = T, future_of
return S
