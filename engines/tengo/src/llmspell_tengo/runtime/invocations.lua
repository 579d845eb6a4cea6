-- Functions of the script in the hands of the host, and modules that other languages load.

local R = ...

local next, unpack = next, table.unpack
local DONE, FAILED, outward = R.DONE, R.FAILED, R.outward
local D = R.driver

local functions, ids, count = {}, {}, 0
local open = {} -- tasks by the number the host knows them under

-- the id of a function
function R.function_id(f)
  local id = ids[f]
  if not id then
    count = count + 1
    id = count
    ids[f], functions[id] = id, f
  end
  return id
end

function R.function_of(id)
  return functions[id]
end

local function begin(number, f)
  open[number] = R.begin({
    id = number,
    over = function(record)
      open[number] = nil
      R.say(record)
    end,
  }, f)
end

-- Call a function with each of n arguments alone, until it returns false; tell how many calls there were then.
local function each(f, list, first, n)
  for i = 1, n do
    if f(1, list[first + i - 1]) == false then
      return i
    end
  end
end

-- Call a function, with n arguments or a packed list of them; or with each of them alone.
function D.invoke(number, id, is_each, packed, n, ...)
  local f, args = functions[id], { ... }
  if not f then
    R.say({ FAILED, number, "\1f\0010\1unknown_function\1the script has no such function any more", "" })
    return
  end
  begin(number, function()
    local list, first = args, 1
    if packed then
      list, first = R.decoded_value(packed), 0
      n = list[R.L]
    end
    if is_each then
      return { DONE, number, "", outward(each(f, list, first, n)) }
    end
    return { DONE, number, "", outward(f(n, unpack(list, first, first + n - 1))) }
  end)
end

-- Run a module's main function; what it exports is the answer.
function D.run_module(number, chunk)
  begin(number, function()
    local _, value = chunk({})
    return { DONE, number, "", outward(value) }
  end)
end

function D.cancel(number)
  local task = open[number]
  if task then
    open[number] = nil
    R.drop(task)
    R.say({ FAILED, number, "\1k\1cancelled", "" })
  end
end

R.forgetters[#R.forgetters + 1] = function()
  functions, ids, count, open = {}, {}, 0, {}
end
