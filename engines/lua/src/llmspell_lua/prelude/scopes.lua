-- Scopes of `async`: what is begun in one ends in it.

local P = ...
local S, X, control = P.scheduler, P.stopping, P.control
local check_function = P.async.check_function
local error, next, setmetatable, type = error, next, setmetatable, type
local pack, unpack = table.pack, table.unpack

local M = {}

local SCOPE = { __metatable = false, __name = "scope", __index = {} }
local scopes = setmetatable({}, P.weak)

function SCOPE.__index.spawn(self, f, ...)
  local scope = scopes[self]
  if not scope then
    error("bad argument #1 to 'spawn' (scope expected, got " .. type(self) .. ")", 2)
  end
  if scope.over then
    S.raise("closed", "the scope has ended")
  end
  check_function(f, 1, "spawn")
  return P.need("taskproxy")(S.spawn(scope, nil, f, ...))
end

-- A task of a scope has ended; called by the scheduler.
function M.leave(task)
  local scope = task.scope
  scope.tasks[task] = nil
  scope.count = scope.count - 1
  if scope.count == 0 and scope.owner_waits then
    local owner = scope.owner_waits
    scope.owner_waits = nil
    S.wake(owner)
  end
end

local function cancel_scope(scope, reason)
  for task in next, scope.tasks do
    X.cancel(task, reason)
  end
end

function M.scope(f)
  check_function(f, 1, "scope")
  local owner = control.task
  S.check_cancelled(owner)
  local scope = { tasks = {}, count = 0, outer = owner.body }
  function scope.fail(err)
    if not scope.failed then
      scope.failed = true
      scope.err = err
      cancel_scope(scope, "another task of the scope failed")
      if scope.in_body then
        X.interrupt(owner, S.make_error("cancelled", "a task of the scope failed"))
      end
    end
  end
  local handle = setmetatable({}, SCOPE)
  scopes[handle] = scope
  scope.in_body, owner.body = true, scope
  local results = pack(P.pcall(f, handle))
  scope.in_body, owner.body = false, scope.outer
  if not results[1] and not scope.failed then
    scope.failed, scope.err = true, results[2]
    cancel_scope(scope, "the scope failed")
  end
  while scope.count > 0 do
    scope.owner_waits = owner
    function owner.abandon()
      scope.owner_waits = nil
    end
    -- Once the tasks are cancelled they are sure to end.
    local ok, problem = P.pcall(S.park, nil, "the tasks of the scope to end", scope.failed)
    scope.owner_waits, owner.abandon = nil, nil
    if not ok then
      scope.failed, scope.err = true, scope.err or problem
      cancel_scope(scope, "the scope was cancelled")
    end
  end
  scope.over = true
  if scope.failed then
    error(scope.err, 0)
  end
  return unpack(results, 2, results.n)
end

return M
