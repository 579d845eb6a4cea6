-- Tasks of the script's own: groups, cancellation, and what is left when the run ends.

local R = ...

local next = next
local find, sub, concat, sort = string.find, string.sub, table.concat, table.sort
local yield, unpack = coroutine.yield, table.unpack
local say, settle, settle_as, result_of = R.say, R.settle, R.settle_as, R.result_of
local parked, unhandled = R.parked, R.unhandled
local D, DONE, FAILED, WAIT = R.driver, R.DONE, R.FAILED, R.WAIT

-- groups hold tasks together; the run is a group as well
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
  leave(task, task.group)
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
    return "task " .. task.number
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
  all, running, numbers, closing, concluding = {}, 0, 0, nil, false
end
