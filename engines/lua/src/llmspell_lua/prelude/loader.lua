-- `load` for scripts: source text only, into the run's globals.

local P = ...
local error, load, select, tostring, type = error, load, select, tostring, type
local byte, find = string.byte, string.find
local concat = table.concat

local MAX_SOURCE <const> = 4 * 1024 * 1024 -- bytes
local MAX_LABELS <const> = 10000 -- the parser compares each label with all others, and cannot be interrupted

local function count_of(word, source)
  local at, count = 0, -1
  repeat
    at = find(source, word, at + 1, true)
    count = count + 1
  until not at
  return count
end

return function(chunk, name, mode, ...)
  if type(chunk) == "function" then
    local reader, parts = chunk, {}
    while true do
      local part = reader()
      if part == nil or part == "" then
        break
      end
      if type(part) ~= "string" then
        return nil, "reader function must return a string"
      end
      parts[#parts + 1] = part
    end
    chunk = concat(parts)
  elseif type(chunk) == "number" then
    chunk = tostring(chunk)
  elseif type(chunk) ~= "string" then
    error("bad argument #1 to 'load' (string or function expected, got " .. type(chunk) .. ")", 2)
  end
  if byte(chunk, 1) == 27 or (mode ~= nil and not find(mode, "t", 1, true)) then
    return nil, "only source text can be loaded, not binary chunks"
  end
  if
    #chunk > MAX_SOURCE
    or (#chunk > 4 * MAX_LABELS and (count_of("::", chunk) > 2 * MAX_LABELS or count_of("goto", chunk) > MAX_LABELS))
  then
    return nil, "the source is too large to be loaded"
  end
  local env = P.queue.env
  if select("#", ...) > 0 then
    env = (...)
  end
  return load(chunk, name == nil and chunk or name, "t", env)
end
