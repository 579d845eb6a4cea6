-- The coroutine library of scripts, through which host calls pass.
--
-- A host call inside a script's own coroutine first arrives at whoever resumed it: `relay` hands it on towards the
-- scheduler and brings the answer back, so that a host call inside a generator suspends the whole task and not
-- only the generator.

local P = ...
local control, fatal, rethrow, co_hook = P.control, P.fatal, P.rethrow, P.co_hook
local HOST, failing = P.HOST, P.failing
local REFUSED <const> = 0
local error, setmetatable, type = error, setmetatable, type
local create, resume, yield, yieldable = coroutine.create, coroutine.resume, coroutine.yield, coroutine.isyieldable
local status, running, close = coroutine.status, coroutine.running, coroutine.close
local sethook, getinfo = debug.sethook, debug.getinfo

-- Steps: what a coroutine runs in less than one window of its hook is not counted otherwise.
local RESUME_FEE <const> = 20

-- Coroutines that wait for the host through a relay. Another task must not resume one: its values would be taken
-- for the host's answer.
local relaying = setmetatable({}, P.weak)

local main_thread -- stands in for the coroutine of a task, which scripts never get hold of

local relay

local function relayed(co, ...)
  relaying[co] = nil
  return relay(co, resume(co, ...))
end

function relay(co, ok, ...)
  if ok then
    if (...) == HOST then -- a function, so no metamethod is asked
      if not yieldable() then
        return relay(co, resume(co, HOST, REFUSED))
      end
      relaying[co] = true
      return relayed(co, yield(...))
    end
  elseif fatal((...)) then
    rethrow()
  end
  return ok, ...
end

local C = {}

-- What must be looked at before a coroutine goes on; false if it cannot.
local function check(co)
  if control.dead then
    rethrow()
  end
  if control.budget then
    control.steps = control.steps + RESUME_FEE
  end
  return not relaying[co]
end

function C.resume(co, ...)
  if type(co) ~= "thread" then
    return failing(resume, co)
  end
  if not check(co) then
    return false, "cannot resume non-suspended coroutine"
  end
  return relay(co, resume(co, ...))
end

function C.create(f)
  if type(f) ~= "function" then
    return failing(create, f)
  end
  if control.dead then
    rethrow()
  end
  local co = create(f)
  if control.co_count > 0 then
    sethook(co, co_hook, "", control.co_count)
  end
  return co
end

-- As the C library does: an error closes the coroutine and, if it is a text, gains the caller's position.
local function unwrap(co, ok, ...)
  if ok then
    return ...
  end
  local e = ...
  if status(co) == "dead" then
    local closed, again = close(co)
    if not closed then
      e = again
    end
    if fatal(e) then
      rethrow()
    end
  end
  if type(e) == "string" then
    local info = getinfo(2, "Sl")
    if info and info.currentline > 0 then
      e = info.short_src .. ":" .. info.currentline .. ": " .. e
    end
  end
  error(e, 0)
end

function C.wrap(f)
  local co = C.create(f)
  return function(...)
    if not check(co) then
      return unwrap(co, false, "cannot resume non-suspended coroutine")
    end
    return unwrap(co, relay(co, resume(co, ...)))
  end
end

local function closed(ok, ...)
  if not ok and fatal((...)) then
    rethrow()
  end
  return ok, ...
end

function C.close(co)
  -- A coroutine that a hook ended runs its remaining handlers with hooks off, so none may be run now.
  if control.dead then
    rethrow()
  end
  if relaying[co] then
    error("cannot close a coroutine that waits for the host", 2)
  end
  if type(co) ~= "thread" then
    return failing(close, co)
  end
  return closed(close(co))
end

function C.yield(...)
  if running() == control.thread then
    error("attempt to yield from outside a coroutine", 2)
  end
  return yield(...)
end

function C.running()
  local co = running()
  if co ~= control.thread then
    return co, false
  end
  if not main_thread then
    main_thread = create(function()
      error("cannot resume non-suspended coroutine", 0)
    end)
  end
  return main_thread, true
end

function C.status(co)
  if relaying[co] then
    return "normal"
  end
  if co ~= nil and co == main_thread then
    return "running"
  end
  if type(co) ~= "thread" then
    return failing(status, co)
  end
  return status(co)
end

function C.isyieldable()
  return running() ~= control.thread and yieldable()
end

P.forgetters[#P.forgetters + 1] = function()
  main_thread = nil
end

return C
