-- What is told of a task that failed, or of a run that must end.

local R = ...

local getinfo, concat, type = debug.getinfo, table.concat, type

-- Errors: the message, and for each frame of the program, innermost first, chunk:line:name

local MOST_FRAMES <const> = 2000

function R.failure(co, message)
  if type(message) ~= "string" then
    message = "\1x\1the engine raised a " .. type(message)
  end
  local lines, count = {}, 0
  local level = 0
  while count < MOST_FRAMES do
    local info = getinfo(co, level, "Sln")
    if not info then
      break
    end
    if info.currentline > 0 then -- the runtime has no line information
      count = count + 1
      lines[count] = info.source .. ":" .. info.currentline .. ":" .. (info.name or "")
    end
    level = level + 1
  end
  return message, concat(lines, ",")
end

-- the frames of a task, as a failure tells them
function R.stack_of(co)
  local _, frames = R.failure(co, "")
  return frames
end

-- where the main chunk stands
function R.driver.where()
  return R.main and R.stack_of(R.main.co) or ""
end
