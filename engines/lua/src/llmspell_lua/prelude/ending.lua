-- Winding up a run that must end: every task is ended where it stands, the main one last, so that its clean-up
-- handlers run.

local P = ...
local next = next
local control, mark, advance, say = P.control, P.mark, P.advance, P.say
local HOST = P.HOST
local FAILED <const> = 4 -- a record
local FATAL <const> = 4 -- a mode of an answer

return function()
  local reason = control.dead
  control.dead = false
  mark(reason)
  local Q, main = P.queue, nil
  Q.ready, Q.first, Q.last, Q.waiting, Q.paused = {}, 1, 0, {}, false
  local tasks = Q.tasks
  for task in next, tasks do
    if not task.begun then
      tasks[task] = nil
      say({ FAILED, task.id, false, reason, "", n = 5 })
    elseif task.id == 0 then
      main = task
    else
      advance(task, HOST, FATAL, reason)
    end
  end
  if main then
    advance(main, HOST, FATAL, reason)
  end
  control.task, control.thread = false, false
  return 0
end
