-- What scripts give as a time.

local error, type = error, type
local format = string.format

-- To be called by the function that the script called with it as argument `at`.
return function(seconds, at, name)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error(format("bad argument #%d to '%s' (seconds expected)", at, name), 3)
  end
end
