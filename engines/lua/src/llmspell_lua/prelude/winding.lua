-- The end of a run with tasks: waiting for those that still run, and what becomes of errors and deadlocks.

local P = ...
local S, X, control = P.scheduler, P.stopping, P.control
local T = S.run
local next, tonumber, xpcall = next, tonumber, xpcall
local concat, sort = table.concat, table.sort
local format, match = string.format, string.match

local M = {}

-- A failure that nobody has waited for, and the frames of the task it comes from.
local function unhandled()
  for at = 1, #T.rejected do
    local future = T.rejected[at]
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

local function cancel_others(reason)
  for task in next, P.queue.tasks do
    if task.kind.settle then
      X.cancel(task, reason)
    end
  end
end

-- Wait for the other tasks, or cancel them if the main one or one of them failed. Returns an unhandled error and the
-- frames of the task it comes from, or nothing.
local function end_others(failed)
  if failed then
    cancel_others("the main chunk failed")
  end
  local err, frames
  repeat
    if not failed and not frames then
      err, frames = unhandled()
      if frames then
        cancel_others("another task failed")
      end
    end
    local waits = T.count > 0
    if waits then
      T.main_waits = control.task
      S.park(nil, "the other tasks of the run to end")
    end
  until not waits
  return err, frames
end

-- The main chunk has ended and said `record`; the run ends when its other tasks have. Returns what the run says.
function M.wind_up(task, ok, record)
  local fine, e, frames = xpcall(end_others, P.capture, not ok)
  if fine and not frames then
    return record
  end
  task.frames = frames or task.frames
  return P.account_of(task, e)
end

-- Called by the host when no task can go on and no host call is pending. Returns what `step` does. A guest without a
-- main chunk serves another one, which may yet call what its tasks wait for.
function M.deadlock()
  local lines = {}
  local victim
  for task in next, P.queue.tasks do
    if task.waits_for then
      local name = task.kind.settle and S.name_of(task) or task.id == 0 and "the main chunk" or "a call by the host"
      local place = task.waits_at
      if place == "" then -- the line of a tail call is not known
        place = task.spawned_at and task.spawned_at .. ", where it was spawned" or ""
      end
      lines[#lines + 1] = format("%s waits for %s%s", name, task.waits_for, place ~= "" and " at " .. place or "")
      if task.id == 0 then
        victim = task
      end
    end
  end
  if not victim then
    return 0
  end
  sort(lines)
  if T.main_waits == victim then
    T.main_waits = false
  end
  X.interrupt(victim, S.make_error("deadlock", "every task waits for another: " .. concat(lines, "; ")))
  return 1
end

return M
