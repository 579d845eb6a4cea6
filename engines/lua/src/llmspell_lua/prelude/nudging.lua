-- Letting the host be heard while tasks keep each other busy.

local P = ...
local Q, control = P.queue, P.control
local CALL <const> = 1

-- A call that nobody waits for: its answer brings us back when the others that are there have been heard.
local NUDGE = {
  fire = function()
    Q.nudged = false
  end,
}

-- Called by the host; returns what `step` does.
return function()
  control.task, control.thread = false, false
  if not Q.nudged then
    Q.nudged = true
    local id = control.calls + 1
    control.calls = id
    Q.waiting[id] = NUDGE
    P.say({ CALL, id, "@host", "sleep", 0, false, 0, n = 7 })
  end
  return control.dead and 2 or Q.unwatched and 1 or 0
end
