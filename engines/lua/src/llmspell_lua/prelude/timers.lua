-- Timers, and waiting with a time limit.

local P = ...
local S, X, Q, control = P.scheduler, P.stopping, P.queue, P.control
local error = error
local format = string.format
local CALL <const> = 1

local M = {}

-- A host call that no task waits for: `fire` runs in the scheduler when the time has passed, and must not suspend.
function M.start(seconds, fire)
  local id = control.calls + 1
  control.calls = id
  Q.waiting[id] = { fire = fire }
  P.say({ CALL, id, "@host", "sleep", 0, false, seconds, n = 7 })
  return id
end

M.stop = X.drop_call

-- Park the running task for a future, but not for ever.
function M.park(future, seconds, what)
  local task = control.task
  local timer = M.start(seconds, function()
    if future.state == "pending" and X.take_out(future.waiters, task) then
      X.wake_with_error(task, S.make_error("timeout", format("%s did not end within %g s", what, seconds)))
    end
  end)
  local ok, problem = P.pcall(S.park, future.waiters, what)
  M.stop(timer)
  if not ok then
    error(problem, 0)
  end
end

return M
