-- Tasks that scripts make: spawning, waiting, cancelling, ending. See docs/explanation/concurrency.md.
--
-- Everything that can be waited for is a *future*: a table with `state` ("pending", "fulfilled", "rejected"),
-- `values` and `n` or `err`, `waiters` (tasks that are parked for it) and `handled`. A task of the script is a record
-- of the scheduler with a future of its own. Scripts hold proxies, which `future_of` maps to futures.

local P = ...
local control, begin, make_ready, yield_host = P.control, P.begin, P.make_ready, P.yield_host
local next, select, setmetatable, tostring, type = next, select, setmetatable, tostring, type
local error, rawequal = error, rawequal
local getinfo = debug.getinfo
local concat, remove, unpack = table.concat, table.remove, table.unpack
local format, match = string.format, string.match

local S = {}

local future_of = setmetatable({}, { __mode = "k" }) -- proxies of tasks and promises -> futures
local open = {} -- tasks of scripts that have not ended, by record
local open_count = 0
local rejected = {} -- rejected futures that nobody has handled yet, in order
local last_number = 0
local main_waits = false -- the main task, while it waits for the others to end

-- Errors of ours

local function make_error(code, message, extra)
  return P.need("errors").make(code, message, extra)
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

-- Wake a parked task with an error.
local function wake_with_error(task, err)
  task.parked = false
  task.woken = { false, err }
  make_ready(task)
end

local function take_out(place, task)
  for at = 1, #place do
    if place[at] == task then
      remove(place, at)
      return true
    end
  end
  return false
end

-- Make what a task waits for raise an error. A task that can go on already does.
local function interrupt(task, err)
  if task.parked then
    if task.place then
      take_out(task.place, task)
    end
    if task.abandon then
      task.abandon()
    end
    wake_with_error(task, err)
  elseif task.call then
    P.drop_call(task.call)
    P.fail_call(task, err)
  end
end

S.interrupt = interrupt
S.park, S.wake, S.wake_with_error, S.take_out = park, wake, wake_with_error, take_out
S.check_cancelled = check_cancelled

-- Timers: a host call without a task. `fire` runs in the scheduler and must not suspend.
function S.timer(seconds, fire)
  return P.call_later("@host", "sleep", fire, seconds)
end

function S.stop_timer(id)
  P.drop_call(id)
end

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
      local task = control.task
      local timer
      timer = S.timer(seconds, function()
        if future.state == "pending" and take_out(future.waiters, task) then
          wake_with_error(task, make_error("timeout", format("%s did not end within %g s", what, seconds)))
        end
      end)
      local ok, problem = P.pcall(park, future.waiters, what)
      S.stop_timer(timer)
      if not ok then
        error(problem, 0)
      end
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
  open[task] = nil
  open_count = open_count - 1
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
  if open_count == 0 and main_waits then
    local main = main_waits
    main_waits = false
    wake(main)
  end
end

-- Make a task that runs `f` with the given arguments when the running one suspends. Returns its record.
function S.spawn(scope, name, f, ...)
  if type(f) ~= "function" then
    error("bad argument #1 to 'spawn' (function expected, got " .. type(f) .. ")", 3)
  end
  check_cancelled(control.task)
  if open_count >= P.limits.tasks then
    raise("too_many_tasks", format("more than %d tasks (limit: tasks)", P.limits.tasks))
  end
  last_number = last_number + 1
  local future = S.new_future()
  local task = {
    number = last_number,
    name = name or "task " .. last_number,
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
  open[task] = true
  open_count = open_count + 1
  if scope then
    scope.tasks[task] = true
    scope.count = scope.count + 1
  end
  P.fresh(begin(task))
  return task
end

-- Make the operation that a task is suspended in raise `cancelled`, and every later one too.
function S.cancel(task, reason)
  if task.cancelled or (task.status and task.status ~= "running") then
    return false
  end
  task.cancelled = reason or "the task was cancelled"
  interrupt(task, make_error("cancelled", task.cancelled))
  return true
end

-- The end of the main task: wait for the others, or cancel them if it failed. Returns an unhandled error and the
-- frames of the task it comes from, or nothing.
function S.wind_up(failed)
  if failed then
    for task in next, open do
      S.cancel(task, "the main chunk failed")
    end
  end
  while open_count > 0 do
    main_waits = control.task
    park(nil, "the other tasks of the run to end")
  end
  if not failed then
    for at = 1, #rejected do
      local future = rejected[at]
      if not future.handled then
        local task = future.task
        local frames = future.frames or {}
        if task and task.spawned_at ~= "" then
          local file, line = match(task.spawned_at, "^(.*):(%d+)$")
          frames[#frames + 1] = { "=" .. (file or ""), tonumber(line) or 0, "spawned here", {} }
        end
        return future.err, frames
      end
    end
  end
end

-- Called by the scheduler when no task can go on and no host call is pending.
function S.deadlock(tasks)
  local lines = {}
  local victim
  for task in next, tasks do
    if task.waits_for then
      local name = task.settle and task.name or task.id == 0 and "the main chunk" or "a call by the host"
      lines[#lines + 1] = format("%s waits for %s at %s", name, task.waits_for, task.waits_at)
      if not task.settle and (not victim or task.id == 0) then
        victim = task
      end
    end
  end
  if not victim then
    return false
  end
  table.sort(lines)
  if main_waits == victim then
    main_waits = false
  end
  interrupt(victim, make_error("deadlock", "every task waits for another: " .. concat(lines, "; ")))
  return true
end

-- What scripts hold

local TASK = { __metatable = false, __name = "task" }
local methods = {}

function S.handle(task)
  local handle = task.handle
  if not handle then
    handle = setmetatable({}, TASK)
    task.handle = handle
    P.opaque[handle] = "task"
    future_of[handle] = task.future
  end
  return handle
end

local function task_of(handle, name)
  local future = future_of[handle]
  local task = future and future.task
  if not task then
    error("bad argument #1 to '" .. name .. "' (task expected, got " .. type(handle) .. ")", 3)
  end
  return task
end

function methods.await(self, seconds)
  local task = task_of(self, "await")
  return S.wait(task.future, seconds, task.name)
end

function methods.cancel(self, reason)
  return S.cancel(task_of(self, "cancel"), reason and tostring(reason))
end

function TASK.__index(self, key)
  local method = methods[key]
  if method then
    return method
  end
  local task = task_of(self, key)
  if key == "status" or key == "name" then
    return task[key]
  elseif key == "id" then
    return task.number
  elseif key == "cancelled" then
    return task.cancelled ~= nil or task.status == "cancelled"
  end
  return nil
end

function TASK.__newindex()
  error("a task cannot be changed", 2)
end

function TASK.__tostring(self)
  local task = task_of(self, "tostring")
  return format("task: %s (%s)", task.name, task.status)
end

function S.future_of(value)
  return type(value) == "table" and future_of[value] or nil
end

function S.register(proxy, future)
  P.opaque[proxy] = "promise"
  future_of[proxy] = future
end

function S.is_running(value)
  return rawequal(value, control.task)
end

P.forgetters[#P.forgetters + 1] = function()
  open, open_count, rejected, last_number, main_waits = {}, 0, {}, 0, false
end

return S
