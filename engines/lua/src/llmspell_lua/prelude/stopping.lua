-- Making a task leave what it is suspended in: cancellation, time limits, deadlocks.

local P = ...
local S, Q, control = P.scheduler, P.queue, P.control
local make_ready, say = P.make_ready, P.say
local next = next
local remove = table.remove
local CALL <const> = 1
local RAISE <const> = 7 -- a mode of an answer

local M = {}

-- Wake a parked task with an error.
function M.wake_with_error(task, err)
  task.parked = false
  task.woken = { false, err }
  make_ready(task)
end

function M.take_out(place, task)
  for at = 1, #place do
    if place[at] == task then
      remove(place, at)
      return true
    end
  end
  return false
end

-- Have the host drop a call, and expect no answer.
function M.drop_call(id)
  if Q.waiting[id] then
    Q.waiting[id] = nil
    control.calls = control.calls + 1
    say({ CALL, control.calls, "@host", "cancel", 0, false, id, n = 7 })
  end
end

-- Make what a task waits for raise an error. A task that can go on already does.
function M.interrupt(task, err)
  if task.parked then
    if task.place then
      M.take_out(task.place, task)
    end
    if task.abandon then
      task.abandon()
    end
    M.wake_with_error(task, err)
  elseif task.call then
    M.drop_call(task.call)
    task.call = nil
    task.answer = { RAISE, err }
    make_ready(task)
  end
end

-- Make the operation that a task is suspended in raise `cancelled`, and every later one too.
function M.cancel(task, reason)
  if task.cancelled or (task.future and task.future.state ~= "pending") then
    return false
  end
  task.cancelled = reason or "the task was cancelled"
  M.interrupt(task, S.make_error("cancelled", task.cancelled))
  return true
end

-- Cancel the task of an invocation.
function M.cancel_invocation(id, reason)
  for task in next, Q.tasks do
    if task.id == id then
      M.cancel(task, reason)
      return
    end
  end
end

return M
