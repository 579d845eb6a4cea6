-- What tasks of scripts need beyond host calls: waiting for each other, runs without a main chunk. See `scheduler.lua`.

local P = ...
local Q, control, mark, rethrow, refuse = P.queue, P.control, P.mark, P.rethrow, P.refuse
local say, need, capture, account_of = P.say, P.need, P.capture, P.account_of
local xpcall = xpcall
local yield, yieldable = coroutine.yield, coroutine.isyieldable
local HOST, FATAL, REFUSED = P.HOST, P.FATAL, P.REFUSED
local THREAD, PARK = 7, 8

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

-- The main chunk has ended: the run ends when its other tasks have.
local function wind_up(task, ok, record)
  local run = P.scheduler.run
  if run.count == 0 and #run.rejected == 0 then
    return record
  end
  local fine, e, frames = xpcall(need("winding").wind_up, capture, not ok)
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

P.yield_host, P.wind_up = yield_host, wind_up

-- Have the host learn of a new coroutine before it runs.
function P.fresh(address)
  if address then
    Q.unwatched = true
    say({ THREAD, address, n = 2 })
  end
end

return driver
