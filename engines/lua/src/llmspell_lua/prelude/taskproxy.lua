-- What scripts hold of a task.

local P = ...
local S = P.scheduler
local future_of = S.future_by_proxy
local error, setmetatable, tostring, type = error, setmetatable, tostring, type
local format = string.format

local TASK = { __metatable = false, __name = "task" }
local methods = {}

local function task_of(handle, name)
  local future = future_of[handle]
  local task = future and future.task
  if not task then
    error("bad argument #1 to '" .. name .. "' (task expected, got " .. type(handle) .. ")", 3)
  end
  return task
end

-- A task is cancelled at once, though it may still clean up.
local function status_of(task)
  local future = task.future
  if task.cancelled or future.cancelled then
    return "cancelled"
  elseif future.state == "pending" then
    return "running"
  end
  return future.state == "fulfilled" and "done" or "failed"
end

function methods.await(self, seconds)
  local task = task_of(self, "await")
  if seconds ~= nil then
    P.need("seconds")(seconds, 1, "await")
  end
  return S.wait(task.future, seconds, S.name_of(task))
end

function methods.cancel(self, reason)
  local task = task_of(self, "cancel")
  return P.need("stopping").cancel(task, reason and tostring(reason))
end

function TASK.__index(self, key)
  local method = methods[key]
  if method then
    return method
  end
  local task = task_of(self, key)
  if key == "status" then
    return status_of(task)
  elseif key == "name" then
    return S.name_of(task)
  elseif key == "id" then
    return task.number
  elseif key == "cancelled" then
    return status_of(task) == "cancelled"
  end
  return nil
end

function TASK.__newindex()
  error("a task cannot be changed", 2)
end

function TASK.__tostring(self)
  local task = task_of(self, "tostring")
  return format("task: %s (%s)", S.name_of(task), status_of(task))
end

-- Return the proxy of a task, always the same.
return function(task)
  local handle = task.handle
  if not handle then
    handle = setmetatable({}, TASK)
    task.handle = handle
    P.opaque[handle] = "task"
    future_of[handle] = task.future
  end
  return handle
end
