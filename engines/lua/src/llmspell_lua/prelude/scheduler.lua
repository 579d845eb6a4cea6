-- Tasks that scripts make: spawning, waiting, cancelling, ending. See docs/explanation/concurrency.md.
--
-- Everything that can be waited for is a *future*: a table with `state` ("pending", "fulfilled", "rejected"),
-- `values` and `n`, or `err`, `waiters` (tasks that are parked for it) and `handled`. A task of the script is a record
-- of the scheduler with a future of its own. Scripts hold proxies, which `future_of` maps to futures.
--
-- Thousands of guests may wait at once, each with a copy of this: what only some of them need is in parts of its own
-- (`rejecting`, `stopping`, `timers`, `winding`, `taskproxy`).

local P = ...
local Q, control, mark, rethrow, refuse = P.queue, P.control, P.mark, P.rethrow, P.refuse
local begin, make_ready, need, say = P.begin, P.make_ready, P.need, P.say
local error, select, setmetatable, tonumber, type = error, select, setmetatable, tonumber, type
local getinfo = debug.getinfo
local yield, yieldable = coroutine.yield, coroutine.isyieldable
local pack, unpack = table.pack, table.unpack
local format, match = string.format, string.match

local HOST = P.HOST
local CALL <const> = 1
local THREAD <const> = 7
local PARK <const> = 8
local REFUSED <const> = 0
local FATAL <const> = 4

local S = {}

local future_of = setmetatable({}, P.weak) -- proxies of tasks and promises -> futures

-- The tasks of this run:
--   count: those of scripts that have not ended
--   rejected: rejected futures that nobody had handled when they were, in order
--   number: of the task made last
--   main_waits: the main task, while it waits for the others to end
local T = {}

local function fresh()
  T.count, T.rejected, T.number, T.main_waits = 0, {}, 0, false
end

-- Errors of ours

local function make_error(code, message, extra)
  return need("errors", "an error").make(code, message, extra)
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

-- Suspend the running task until `task.woken` is set and it is made ready.
local function yield_host(what)
  if control.dead then
    rethrow()
  end
  if not yieldable() then
    refuse("waiting for " .. what)
  end
  local _, ok, a, b = yield(HOST, { PARK, n = 1 })
  if ok == FATAL then
    mark(a)
    return rethrow()
  elseif ok == REFUSED then
    return refuse("waiting for " .. what)
  end
  return ok, a, b
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

S.park, S.wake, S.check_cancelled, S.yield_host = park, wake, check_cancelled, yield_host

-- Futures

function S.new_future()
  return { state = "pending", waiters = {} }
end

-- Tell those who wait for a future.
function S.settled(future)
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
    S.settled(future)
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
  if future.task and future.task == control.task then
    raise("deadlock", "a task cannot wait for itself")
  end
  future.handled = true
  if future.state == "pending" then
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

local function run_spawned(task)
  check_cancelled(task)
  return pack(task.f(unpack(task, 1, task.count or 0)))
end

-- A task ended: `results` is a packed list, or nil with an error.
local function ended(task, results, err)
  T.count = T.count - 1
  if results and not task.cancelled then
    S.fulfil(task.future, unpack(results, 1, results.n))
  else
    need("rejecting").ended(task, results, err)
  end
  if task.scope then
    P.scopes.leave(task)
  end
  local main = T.main_waits
  if main and T.count == 0 then
    T.main_waits = false
    wake(main)
  end
end

-- Give a task a coroutine to run in, and have the host learn of a new one before it runs.
local function enter(task)
  local address = begin(task)
  if address then
    Q.unwatched = true
    say({ THREAD, address, n = 2 })
  end
end

-- What a task does that only calls a bridge: it needs no coroutine before there is an answer.
local function go(task, tag, ...)
  if tag ~= task then
    task.reply = { ... }
    enter(task)
  elseif task.cancelled then
    enter(task)
  else
    local call, count = P.calls[task.f], task.count or 0
    local id = control.calls + 1
    control.calls = id
    task.asked, task.call = id, id
    local record = { CALL, id, call[1], call[2], tonumber(match(task.spawned_at, "%d+$")) or 0, false }
    for at = 1, count do
      record[6 + at] = task[at]
    end
    record.n = 6 + count
    Q.waiting[id] = task
    say(record)
  end
end

local function run_answered(task)
  check_cancelled(task)
  local call, reply = P.calls[task.f], task.reply
  local record = { CALL, task.asked, call[1], call[2] }
  return pack(P.answered(record, HOST, reply[1], reply[2], reply[3], reply[4]))
end

-- What all tasks of scripts have in common.
local SPAWNED = { run = run_spawned, settle = ended }
local CALLING = { run = run_answered, settle = ended, go = go }

local function is_call(f, count, ...)
  if not P.calls[f] then
    return false
  end
  for at = 1, count do
    local kind = type((select(at, ...)))
    if kind == "table" or kind == "function" or kind == "userdata" or kind == "thread" then
      return false
    end
  end
  return true
end

function S.name_of(task)
  return task.name or "task " .. task.number
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
  local task = { kind = SPAWNED, number = number, name = name, f = f, future = future, spawned_at = here(), ... }
  local count = select("#", ...)
  if count > 0 then
    task.count = count
  end
  future.task = task
  T.count = T.count + 1
  if scope then
    task.scope = scope
    scope.tasks[task] = true
    scope.count = scope.count + 1
  end
  if is_call(f, count, ...) then
    task.kind = CALLING
    Q.tasks[task] = true
    make_ready(task)
  else
    enter(task)
  end
  return task
end

function S.future_of(value)
  return type(value) == "table" and future_of[value] or nil
end

-- The main chunk has ended: the run ends when its other tasks have.
function S.wind_up(task, ok, record)
  if T.count == 0 and #T.rejected == 0 then
    return record
  end
  return need("winding").wind_up(task, ok, record)
end

P.forgetters[#P.forgetters + 1] = fresh
fresh()

S.run, S.future_by_proxy = T, future_of
return S
