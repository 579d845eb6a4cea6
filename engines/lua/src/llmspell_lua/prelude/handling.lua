-- xpcall for scripts.

local P = ...
local after, fatal, pcall = P.after, P.fatal, P.pcall
local xpcall = xpcall

local function second(_, v)
  return v
end

-- An error inside the handler is the result, as if the handler had returned it. C would call the handler again and
-- again until the stack overflows, which here ends the run.
return function(f, handler, ...)
  return after(xpcall(f, function(e)
    if fatal(e) then
      return e
    end
    return second(pcall(handler, e))
  end, ...))
end

