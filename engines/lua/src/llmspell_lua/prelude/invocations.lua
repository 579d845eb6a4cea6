-- Calls of the script's functions by the host.

local P = ...
local unpack = table.unpack
local null = P.null
local FAILED <const> = 4

local function run(task)
  if task.blob then
    task.stage = "arguments"
    local args = P.need("decode")(task.blob)
    task.blob, task.stage = nil, nil
    local count = #args
    for i = 1, count do
      if args[i] == null then
        args[i] = nil
      end
    end
    return P.seal(task, task.f(unpack(args, 1, count)))
  end
  return P.seal(task, task.f(unpack(task, 1, task.count)))
end

-- With each of the arguments alone, until a call returns false; tells how many calls there were then.
local function run_each(task)
  local items, count = task, task.count
  if task.blob then
    task.stage = "arguments"
    items = P.need("decode")(task.blob)
    task.blob, task.stage = nil, nil
    count = #items
  end
  local f = task.f
  for i = 1, count do
    local item = items[i]
    if item == null then
      item = nil
    end
    if f(item) == false then
      return P.seal(task, i)
    end
  end
  return P.seal(task)
end

local INVOKED, INVOKED_EACH = { run = run }, { run = run_each }

return function(id, function_id, each, blob, count, ...)
  local f = P.need("encode").functions()[function_id]
  if not f then
    P.say({ FAILED, id, false, "unknown_function", "", n = 5 })
    return nil
  end
  return P.begin({ id = id, kind = each and INVOKED_EACH or INVOKED, f = f, blob = blob, count = count, ... })
end
