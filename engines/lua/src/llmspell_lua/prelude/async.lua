-- The module `async`: tasks. The rest of it is in `gathering`, `combining`, `scopes` and `tokens`.

local P = ...
local S, need, check_seconds = P.scheduler, P.need, P.seconds
local control = P.control
local error, type = error, type
local format = string.format

local A = {}

local function check_function(f, at, name)
  if type(f) ~= "function" then
    error(format("bad argument #%d to '%s' (function expected, got %s)", at, name, type(f)), 3)
  end
end

function A.spawn(f, ...)
  check_function(f, 1, "spawn")
  return need("taskproxy")(S.spawn(nil, nil, f, ...))
end

function A.current()
  local task = control.task
  return task.future and need("taskproxy")(task) or nil
end

function A.await(x, seconds)
  local future = S.future_of(x)
  if not future then
    return x
  end
  if seconds ~= nil then
    check_seconds(seconds, 2, "await")
  end
  return S.wait(future, seconds, future.task and S.name_of(future.task) or "the promise")
end

function A.sleep(seconds)
  check_seconds(seconds, 1, "sleep")
  return P.ask("@host", "sleep", seconds)
end

A["yield"] = function()
  local task = control.task
  S.check_cancelled(task)
  S.wake(task)
  S.yield_host("its turn")
  S.check_cancelled(task)
end

A.check_function = check_function
return A
