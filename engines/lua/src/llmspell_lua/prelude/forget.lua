-- Forgetting a run. Returns how many coroutines are kept: none if one was left in the middle of something.

local P = ...
local Q, control = P.queue, P.control
local next = next
local upvaluejoin = debug.upvaluejoin

return function(drop_threads)
  if Q.main then
    local nothing
    upvaluejoin(Q.main, 1, function()
      return nothing
    end, 1)
  end
  if drop_threads or control.dead or next(Q.tasks) then
    Q.idle, Q.threads = {}, {}
  end
  Q.env, Q.main = nil, nil
  P.fresh_queue()
  control.dead, control.file, control.line, control.status, control.frames = false, false, 0, nil, nil
  control.steps, control.calls = 0, 0
  for _, forget in next, P.forgetters do
    forget()
  end
  return #Q.threads
end
