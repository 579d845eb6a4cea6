-- What tasks of scripts need beyond host calls: waiting for each other, calls nobody waits for, runs without a main
-- chunk. See `scheduler.lua`.

local P = ...
local Q, control, mark, rethrow, refuse = P.queue, P.control, P.mark, P.rethrow, P.refuse
local say, make_ready, capture, account_of = P.say, P.make_ready, P.capture, P.account_of
local next, select, xpcall = next, select, xpcall
local yield, yieldable = coroutine.yield, coroutine.isyieldable
local HOST, FATAL, REFUSED = P.HOST, P.FATAL, P.REFUSED
local CALL, THREAD, PARK, RAISE = 1, 7, 8, 7 -- records; RAISE is a mode of an answer

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

-- Calls that no task waits for: `fire` runs in the scheduler when the answer comes.
local function call_later(target, method, fire, ...)
  local id = control.calls + 1
  control.calls = id
  Q.waiting[id] = { fire = fire }
  say({ CALL, id, target, method, 0, false, n = select("#", ...) + 6, ... })
  return id
end

-- Have the host drop a call, and expect no answer.
local function drop_call(id)
  if Q.waiting[id] then
    Q.waiting[id] = nil
    control.calls = control.calls + 1
    say({ CALL, control.calls, "@host", "cancel", 0, false, id, n = 7 })
  end
end

-- The main chunk has ended: the run ends when its other tasks have.
local function wind_up(task, ok, record)
  local fine, e, frames = xpcall(P.scheduler.wind_up, capture, not ok)
  if not fine then
    return account_of(task, e)
  elseif frames then
    task.frames = frames
    return account_of(task, e)
  end
  return record
end

local driver = {}

-- Be ready for invocations without a main chunk.
function driver.idle(seed)
  math.randomseed(seed)
  Q.env = P.new_environment()
end

-- Cancel the task of an invocation.
function driver.cancel(id, reason)
  for task in next, Q.tasks do
    if task.id == id then
      P.need("scheduler").cancel(task, reason)
      return
    end
  end
end

P.yield_host, P.call_later, P.drop_call, P.wind_up = yield_host, call_later, drop_call, wind_up

-- Have a task that waits for a call go on with an error instead.
function P.fail_call(task, err)
  task.call = nil
  task.answer = { RAISE, err }
  make_ready(task)
end

-- Have the host learn of a new coroutine before it runs.
function P.fresh(address)
  if address then
    Q.unwatched = true
    say({ THREAD, address, n = 2 })
  end
end

return driver
