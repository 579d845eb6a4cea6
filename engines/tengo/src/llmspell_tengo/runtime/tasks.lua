-- Tasks of the script's own: futures, waiting, timers, groups, cancellation, and what is left when the run ends.

local R = ...

local type, next, select, rawset, getmetatable, setmetatable =
  type, next, select, rawset, getmetatable, setmetatable
local find, sub, concat, sort = string.find, string.sub, table.concat, table.sort
local yield, unpack = coroutine.yield, table.unpack
local names, say, make_ready, kind_of = R.names, R.say, R.make_ready, R.kind_of
local D, DONE, FAILED, WAIT = R.driver, R.DONE, R.FAILED, R.WAIT

-- Types whose values live in the guest: promises, channels, tasks. Fields are computed, methods bound when asked for.

local STATE = {}
R.STATE = STATE

function R.live_type(kind, fields, methods)
  local mt = R.install({ kind = kind, shape = kind }, function(v, key)
    if type(key) ~= "string" then
      if key == R.OWN then
        return nil
      elseif key == nil then
        R.invalid_index(key)
      end
      key = R.shown(key)
    end
    if fields[key] then
      return fields[key](v[STATE])
    end
    local method = methods[key]
    if not method then
      local known, count = {}, 0
      for _, group in next, { fields, methods } do
        for name in next, group do
          known[count] = name
          count = count + 1
        end
      end
      R.fail(R.internal("unknown_member", "a " .. kind, key, R.list(count, known)))
    end
    local function bound(n, ...)
      return method(v[STATE], n, ...)
    end
    names[bound] = "user-function:" .. key
    rawset(v, key, bound)
    return bound
  end, R.not_assignable, R.not_callable)
  function mt.truth()
    return true
  end
  function mt.equal()
    return false
  end
  R.texts[kind] = function(out)
    out[#out + 1] = "<" .. kind .. ">"
  end
  return function(state)
    local v = setmetatable({ [STATE] = state }, mt)
    state.value = v
    return v
  end
end

function R.state_of(v, kind)
  return kind_of(v) == kind and v[STATE] or nil
end

-- Arguments

function R.check_count(name, n, low, high)
  if n < low or n > high then
    R.bad_count("user-function:" .. name)
  end
end

function R.check_function(name, at, f)
  if type(f) ~= "function" then
    R.bad_argument("user-function:" .. name, at, "callable function", f)
  end
end

-- seconds, or nil
function R.check_seconds(name, at, v)
  if v == nil then
    return nil
  end
  if type(v) ~= "number" or v ~= v or v < 0 then
    R.bad_argument("user-function:" .. name, at, "seconds", v)
  end
  return v
end

function R.check_list(name, at, v)
  local kind = kind_of(v)
  if kind ~= "array" and kind ~= "immutable-array" then
    R.bad_argument("user-function:" .. name, at, "array", v)
  end
  return R.backing(v)
end

-- an option of a function, from a map of them; others than those known are refused
function R.option(name, options, known, key)
  local kind = kind_of(options)
  if kind ~= "map" and kind ~= "immutable-map" then
    R.bad_argument("user-function:" .. name, "options", "map", options)
  end
  for each in next, R.backing(options) do
    if not known[each] then
      local list, count = {}, 0
      for option in next, known do
        list[count] = option
        count = count + 1
      end
      R.fail(R.internal("unknown_member", name, each, R.list(count, list)))
    end
  end
  return options[key]
end

-- an error value as the host's look
function R.coded_error(code, message)
  return R.error_value(setmetatable({ code = code, message = message }, R.MAP))
end

-- Futures: fields done, ok, value, error (an error value), raw (a task's failure nobody put into words yet)

local unhandled = {} -- futures that failed and that nobody has looked at

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

-- Tasks: groups hold them together; the run is a group as well

local all, running, numbers = {}, 0, 0 -- tasks of the script that have not ended
local closing -- what the main chunk said at its end
local concluding = false

local function conclude()
  if next(unhandled) == nil then
    say(closing)
    return
  end
  -- the first of them by the order in which they began
  local first
  for future in next, unhandled do
    if not first or future.number < first.number then
      first = future
    end
  end
  if first.raw then
    local frames = first.raw.frames
    if first.place then
      frames = frames .. (frames == "" and "" or ",") .. first.place .. ":"
    end
    say({ FAILED, 0, first.raw.message, frames })
    return
  end
  R.begin({
    id = 0,
    over = function(record)
      if record then
        say(record)
      end
    end,
  }, function()
    local message = "a promise was rejected and nobody handled it: " .. R.shown(first.error)
    return { FAILED, 0, "\1f\0010\1unhandled_rejection\1" .. message, first.place and first.place .. ":" or "" }
  end)
end

-- The main chunk has ended: so does the run, with the last task, or with a failure that nobody looks at.
local function end_run()
  if not concluding and (running == 0 or next(unhandled)) then
    concluding = true
    R.cancel_group({ tasks = all })
    conclude()
  end
end

R.at_end(function(record)
  closing = record
  end_run()
end)

-- a failure that ends the run, whoever it happens to: limits, and faults of the engine
local function is_fatal(message)
  if sub(message, 1, 1) ~= "\1" then -- Lua's own
    return sub(message, -6) ~= "(zero)"
  end
  return find(message, "^\1[kx]\1") ~= nil or find(message, "stack overflow", 3, true) == 4
end

local function leave(task, group)
  for index = task.drawn and #task.drawn or 0, 1, -1 do
    R.ask_unheard(task.drawn[index], "close")
  end
  running = running - 1
  all[task] = nil
  if group then
    group.tasks[task] = nil
    group.count = group.count - 1
    if group.on_end then
      group.on_end(task)
    end
  end
  if closing then
    end_run()
  end
end

function R.count_number()
  numbers = numbers + 1
  return numbers
end

-- Begin a task of f with n arguments; it starts when the one that runs suspends. Returns its state.
function R.spawn(group, f, n, ...)
  if running >= R.most_tasks then
    R.fail("more than " .. R.most_tasks .. " tasks are running at once (limit: tasks)")
  end
  numbers = numbers + 1
  local args = { ... }
  local future = R.new_future()
  future.number, future.place = numbers, R.place()
  local task = { id = false, number = numbers, future = future, group = group }
  function task.over(record)
    if record[1] == FAILED then
      if is_fatal(record[3]) then
        say({ FAILED, 0, record[3], record[4] })
        return
      end
      settle(future, false, nil, { message = record[3], frames = record[4] })
    else
      settle_as(future, record.value)
    end
    leave(task, group)
  end
  running = running + 1
  all[task] = true
  if group then
    group.tasks[task] = true
    group.count = group.count + 1
  end
  return R.begin(task, function()
    return { DONE, value = f(n, unpack(args, 1, n)) }
  end)
end

-- End a task where it stands. It does not come back from this if it is the one that runs.
function R.cancel(task, reason)
  local future = task.future
  if not future or future.done then
    return
  end
  if task.on_drop then
    task.on_drop()
  end
  parked[task] = nil
  R.drop(task)
  future.cancelled, future.handled = true, true
  settle(future, false, R.coded_error("cancelled", reason or "the task was cancelled"))
  if task.id == 0 then
    say({ FAILED, 0, "\1k\1cancelled", "" })
  else
    leave(task, task.group)
  end
  if task == R.task then
    yield(WAIT)
  end
end

function R.new_group()
  return { tasks = {}, count = 0 }
end

-- Cancel what still runs of a group, in the order it began.
function R.cancel_group(group)
  local list = {}
  for task in next, group.tasks do
    list[#list + 1] = task
  end
  sort(list, function(a, b)
    return a.number < b.number
  end)
  for index = 1, #list do
    R.cancel(list[index], "it was no longer needed")
  end
end

-- the task that runs, as the script sees it
local function status(task)
  local future = task.future
  return not future.done and "running" or future.ok and "done" or future.cancelled and "cancelled" or "failed"
end

local as_value = R.live_type("task", {
  id = function(task)
    return task.number
  end,
  name = function(task)
    return task.id == 0 and "main" or "task " .. task.number
  end,
  status = status,
}, {
  await = function(task, n, seconds)
    R.check_count("await", n, 0, 1)
    return R.await(task.future, R.check_seconds("await", "first", seconds), "task " .. task.number)
  end,
  cancel = function(task, n, reason)
    R.check_count("cancel", n, 0, 1)
    R.cancel(task, reason ~= nil and R.shown(reason) or nil)
  end,
})

function R.task_value(task)
  if not task.future then -- the main chunk, or a call by the host
    task.future = R.new_future()
    task.number = R.count_number()
  end
  return task.value or as_value(task)
end

-- Who waits for what, if nothing can go on any more: name, what, frames
function D.deadlock()
  local list = {}
  for task, what in next, parked do
    local name = task.id == 0 and "main" or "task " .. (task.number or "of the host")
    list[#list + 1] = name .. "\1" .. what .. "\1" .. R.stack_of(task.co)
  end
  sort(list)
  return concat(list, "\n")
end

R.forgetters[#R.forgetters + 1] = function()
  unhandled, parked = {}, {}
  all, running, numbers, closing, concluding = {}, 0, 0, nil, false
end
