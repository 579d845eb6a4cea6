-- Limits of a run: steps, depth of calls, sizes, and being told to stop.

local R, poll = ...

local getinfo, error = debug.getinfo, error

local D = {} -- what Python calls
R.driver = D

local LOOP_GRANT <const> = 10000
local POLL_EVERY <const> = 10000
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
    if poll() > 0 then
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

function D.set_limits(steps, depth, allocs)
  limit_steps, limit_depth, R.allocations = steps, depth, allocs
end

function D.set_tasks(most, channels)
  R.most_tasks, R.most_channels = most, channels
end

function D.set_sizes(strings, bytes, depth, nodes, total)
  R.max_string, R.max_bytes = strings, bytes
  R.value_limits = { depth = depth, nodes = nodes, bytes = total }
end

function D.steps()
  return used
end

function D.forget_use()
  used, unpolled, loop_grant, call_grant = 0, 0, 0, 0
end
