-- Futures that are rejected, and tasks that fail.

local P = ...
local S = P.scheduler
local T = S.run

local R = {}

function R.reject(future, err, frames)
  if future.state == "pending" then
    future.state, future.err, future.frames = "rejected", err, frames
    if #future.waiters == 0 and not future.handled then
      local rejected = T.rejected
      rejected[#rejected + 1] = future
      local main = T.main_waits
      if main then -- it has nobody left to wait for but us
        T.main_waits = false
        S.wake(main)
      end
    end
    S.settled(future)
  end
end

-- A task ended with an error, or, having been cancelled, with results that come too late.
function R.ended(task, results, err)
  local future, scope, cancelled = task.future, task.scope, task.cancelled
  task.cancelled = nil -- what its end sets off is not cancelled
  if cancelled then
    future.cancelled, future.handled = true, true
    if results then
      err = S.make_error("cancelled", cancelled)
    end
  elseif scope then
    future.handled = true
    scope.fail(err)
  end
  R.reject(future, err, task.frames)
end

return R
