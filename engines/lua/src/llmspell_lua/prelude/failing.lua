-- Calls of C functions that are going to fail: their error is raised where the script called, under the name that the
-- script knows. From the prelude itself C would find neither.

local error, pcall = error, pcall
local gsub, type = string.gsub, type

local function checked(ok, ...)
  if ok then
    return ...
  end
  local message = ...
  if type(message) == "string" then
    message = gsub(message, "'%a+%.(%a+)'", "'%1'", 1)
  end
  error(message, 2)
end

-- To be tail-called by a function that the script called.
return function(f, ...)
  return checked(pcall(f, ...))
end
