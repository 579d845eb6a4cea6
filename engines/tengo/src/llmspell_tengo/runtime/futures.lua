-- Futures, and waiting: for a future, for a wake-up, for a time.

local R = ...

local next, select, setmetatable = next, select, setmetatable
local yield, unpack = coroutine.yield, table.unpack
local make_ready, kind_of, WAIT = R.make_ready, R.kind_of, R.WAIT

-- Futures: fields done, ok, value, error (an error value), raw (a task's failure nobody put into words yet)

local unhandled = {} -- futures that failed and that nobody has looked at
R.unhandled = unhandled

function R.new_future()
  return { observers = {} }
end

local function settle(future, ok, value, raw)
  if future.done then
    return
  end
  future.done, future.ok, future.raw = true, ok, raw
  if ok then
    future.value = value
  else
    future.error = value
  end
  local observers = future.observers
  future.observers = nil
  for index = 1, #observers do
    observers[index](future)
  end
  -- an error value that a task returns may be ignored, as any error value may
  if not ok and not future.handled and (raw or future.promise) then
    unhandled[future] = true
  end
end

-- settle as what a function returned: an error value is a failure
local function settle_as(future, value)
  settle(future, kind_of(value) ~= "error", value)
end

local function observe(future, f)
  future.handled = true
  unhandled[future] = nil
  if future.done then
    f(future)
  else
    future.observers[#future.observers + 1] = f
  end
end

-- the result of a future that is done
local function result_of(future)
  if future.ok then
    return future.value
  end
  if future.error == nil then
    local words = R.internal("describe", future.raw.message, future.raw.frames)
    future.error = R.coded_error(words[0], words[1])
  end
  return future.error
end
R.settle, R.settle_as, R.observe, R.result_of = settle, settle_as, observe, result_of

-- Waiting

local parked = {} -- what each parked task waits for
R.parked = parked

-- Wait until somebody wakes the ticket; returns what they give. on_drop: called if the task is cancelled meanwhile.
function R.park(ticket, what, on_drop)
  if ticket.woken then
    return unpack(ticket, 1, ticket.n)
  end
  local task = R.task
  ticket.task, task.on_drop = task, on_drop
  parked[task] = what
  yield(WAIT)
  task.on_drop = nil
  return unpack(ticket, 1, ticket.n)
end

-- returns whether it was the first to
local function wake(ticket, ...)
  if ticket.woken then
    return false
  end
  ticket.woken, ticket.n = true, select("#", ...)
  for index = 1, ticket.n do
    ticket[index] = (select(index, ...))
  end
  if ticket.task then
    parked[ticket.task] = nil
    make_ready(ticket.task)
  end
  return true
end
R.wake = wake

-- Timers are tasks that sleep.

local function nothing() end

function R.timer(seconds, f)
  return R.begin({ id = false, over = nothing }, function()
    R.sleep(seconds)
    f()
  end)
end

function R.stop_timer(timer)
  if timer then
    R.drop(timer)
  end
end

-- wait for a future; seconds or nil
function R.await(future, seconds, what)
  if not future.done or not future.handled then
    local ticket = {}
    observe(future, function()
      wake(ticket)
    end)
    local timer = seconds and not ticket.woken and R.timer(seconds, function()
      wake(ticket, "timeout")
    end)
    local why = R.park(ticket, what, function()
      R.stop_timer(timer)
    end)
    R.stop_timer(timer)
    if why == "timeout" then
      return R.coded_error("timeout", what .. " took longer than " .. R.shown(seconds) .. " s")
    end
  end
  return result_of(future)
end

-- run f(n, ...) as a task of its own, but not for ever: whether it ended in time, and its result or an error value
function R.within(seconds, what, f, n, ...)
  local group, ticket = R.new_group(), {}
  local future = R.spawn(group, f, n, ...).future
  observe(future, function()
    wake(ticket)
  end)
  local timer = R.timer(seconds, function()
    wake(ticket, "timeout")
  end)
  local function cancel()
    R.stop_timer(timer)
    R.cancel_group(group)
  end
  local why = R.park(ticket, what, cancel)
  cancel()
  if why == "timeout" then
    return false
  end
  return true, result_of(future)
end

R.forgetters[#R.forgetters + 1] = function()
  for _, of_the_run in next, { unhandled, parked } do
    for key in next, of_the_run do
      of_the_run[key] = nil
    end
  end
end
