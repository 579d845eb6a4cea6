-- What is left of `io` and `os` for scripts: writing to the output, ending the run.

local P = ...
local control, tell = P.control, P.tell
local error, select, type = error, select, type
local concat = table.concat
local EMIT <const> = 2

local S = {}

function S.write(...)
  local parts = { ... }
  for i = 1, select("#", ...) do
    if type(parts[i]) ~= "string" and type(parts[i]) ~= "number" then
      error("bad argument #" .. i .. " to 'write' (string expected, got " .. type(parts[i]) .. ")", 2)
    end
  end
  tell({ EMIT, "output", concat(parts), n = 3 })
end

function S.exit(status)
  if status == nil or status == true then
    status = 0
  elseif status == false then
    status = 1
  elseif type(status) ~= "number" then
    error("bad argument #1 to 'exit' (number expected, got " .. type(status) .. ")", 2)
  end
  control.status = status
  P.mark("exit")
  return P.rethrow()
end

return S
