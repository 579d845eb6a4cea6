-- The guest's side of the conversation: tasks, what they wait for, limits, and errors.
--
-- A task is a coroutine. It suspends by yielding a word and its arguments:
--   "internal", name, packed      work of the engine itself that Python does at once
--   "call", ...                   a host call; see host.lua
-- Python puts a message with put(), runs step(), which takes no arguments and returns a small number so that it can run
-- under a memory limit, and fetches what came of it with take().

local R, poll = ...

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local getinfo, concat = debug.getinfo, table.concat
local select, error, type, next, rawset = select, error, type, next, rawset

local D = {}

-- Limits: steps, depth of calls, and being told to stop

local LOOP_GRANT, POLL_EVERY = 10000, 10000
local limit_steps, limit_depth = nil, 1024
local used, unpolled = 0, 0
local loop_grant, call_grant = 0, 0

local function stop(reason)
  error("\1k\1" .. reason, 0)
end

local function account(amount)
  used = used + amount
  unpolled = unpolled + amount
  if limit_steps and used > limit_steps then
    stop("steps")
  end
  if unpolled >= POLL_EVERY then
    unpolled = 0
    if poll() then
      stop("interrupt")
    end
  end
end

-- How many more calls may nest before the depth must be looked at again. Levels 0 to 2 of the stack are getinfo, this
-- function and tick; below the program's functions stands the one that a task runs.
local function room()
  local highest = limit_depth + 4
  if getinfo(highest, "l") then
    error("\1s\1stack overflow", 0)
  end
  local low, high = limit_depth // 2, highest
  if not getinfo(low, "l") then
    return low
  end
  while low + 1 < high do
    local middle = (low + high) // 2
    if getinfo(middle, "l") then
      low = middle
    else
      high = middle
    end
  end
  local left = limit_depth + 3 - low
  return left > 8 and left or 8
end

-- called from the program when one of its two counters runs out: loops' rounds, calls
function R.tick(loops, calls)
  account(loop_grant - loops + call_grant - calls)
  loop_grant, call_grant = LOOP_GRANT, room()
  if limit_steps then
    local half = (limit_steps - used) // 2
    loop_grant = half < loop_grant and half or loop_grant
    call_grant = half < call_grant and half or call_grant
  end
  return loop_grant, call_grant
end

-- work the runtime does by itself
function R.spend(amount)
  unpolled = unpolled + amount
  if limit_steps or unpolled >= POLL_EVERY then
    unpolled = unpolled - amount
    account(amount)
  end
end

-- Errors: the message, and the lines of the program on the stack, innermost first

local MOST_FRAMES = 2000

local function failure(co, message)
  if type(message) ~= "string" then
    message = "\1x\1the engine raised a " .. type(message)
  end
  local lines, count = {}, 0
  local level = 0
  while count < MOST_FRAMES do
    local info = getinfo(co, level, "Sl")
    if not info then
      break
    end
    if info.source == "=program" and info.currentline > 0 then
      count = count + 1
      lines[count] = info.currentline
    end
    level = level + 1
  end
  return message, concat(lines, ",")
end

-- The main task

local task, arguments, count = nil, nil, 0
local said, first, second

function D.set_limits(steps, depth, allocs)
  limit_steps, limit_depth, R.allocations = steps, depth, allocs
  used, unpolled, loop_grant, call_grant = 0, 0, 0, 0
end

function D.set_sizes(strings, bytes, depth, nodes, total)
  R.max_string, R.max_bytes = strings, bytes
  R.value_limits = { depth = depth, nodes = nodes, bytes = total }
end

function D.steps()
  return used
end

-- modules of plain values, packed until they are imported
local host_modules = {}
function D.define_values(name, packed)
  host_modules[name] = packed
end

function R.host_module(name)
  local module = host_modules[name]
  if type(module) == "string" then
    local members = R.decoded_value(module)
    rawset(members, "__module_name__", name)
    module = R.immutable(members)
    host_modules[name] = module
  end
  return module
end

-- run main with predefined globals, a packed list
function D.start(main, packed, faithful)
  task = create(function()
    local list, globals = R.decoded_value(packed), {}
    for index = 0, list[R.L] - 1 do
      globals[index + 1] = list[index]
    end
    local kind, value = main(globals)
    if kind == "globals" then
      local list, n = {}, 0
      for name, each in next, value do
        list[n], list[n + 1] = name, each
        n = n + 2
      end
      value = R.list(n, list)
    end
    return kind or "", R.encoded(value, faithful)
  end)
  arguments, count = {}, 0
end

function D.answer(...)
  arguments, count = { ... }, select("#", ...)
end

local function settle(ok, ...)
  if not ok then
    said, first, second = "failed", failure(task, (...))
    return 2
  end
  if status(task) == "dead" then
    said, first, second = "done", ...
    return 0
  end
  said, first, second = ...
  return 1
end

function D.step()
  local values, n = arguments, count
  arguments, count = nil, 0
  return settle(resume(task, table.unpack(values, 1, n)))
end

function D.take()
  local a, b, c = said, first, second
  said, first, second = nil, nil, nil
  return a, b, c
end

-- Work for Python: the answer is a value, or an error value's message

function R.internal(name, ...)
  local fault, packed = yield("internal", name, R.encoded_list(1, select("#", ...), ...))
  if fault then
    error("\1e\1" .. fault, 0)
  end
  return R.decoded_value(packed)
end

function R.emit(s)
  R.internal("emit", s)
end

function R.sleep(seconds)
  R.internal("sleep", seconds)
end

D.R = R
return D
