-- Termination that no script can catch.
--
-- A run that must end is marked in `control.dead`. From then on every wrapper a script could catch an error with
-- (pcall, xpcall, resume, wrap, close) raises TERM again, and the hook gives clean-up handlers a short grace and
-- nothing else. TERM is a function because it reaches `__close` handlers as their second argument: a function has
-- no fields in which one run could leave something for the next.

local P = ...
local error, pcall, type, rawequal = error, pcall, type, rawequal
local find = string.find
local sethook, getinfo = debug.sethook, debug.getinfo
local clock = os.clock
local poll = P.poll -- () -> how often somebody asked to interrupt; takes nothing, allocates nothing

local CLOSING_WINDOW <const> = 1000

local function TERM() end

-- The host side reads and writes these fields between steps.
local control = {
  dead = false, -- why the run ends: "interrupt", "steps", "memory", "recursion", "exit", or what a fault said
  file = false, -- where the script stood then
  line = 0,
  steps = 0,
  budget = false, -- steps in all, if limited
  count = -1, -- instructions between hooks of tasks; 0: the host switches the hook on in need; -1: no hook
  co_count = -1, -- instructions between hooks of the script's coroutines
  grace = 0.1, -- seconds of process time for clean-up handlers
  closed_by = 0,
  patience = 0, -- interruptions that clean-up handlers survive
  task = false, -- the task that is running
  thread = false, -- its coroutine
  calls = 0, -- host calls so far
}

-- Runs as hook while the run ends.
local function closing()
  if poll() > control.patience or clock() > control.closed_by then
    control.patience = -1
    sethook(closing, "", 1)
    error(TERM, 0)
  end
end

local function mark(reason)
  if not control.dead then
    control.dead = reason
    control.closed_by = clock() + control.grace
    control.patience = poll()
  end
end

-- Runs in a hook. Notes where the script stands, looking up for a function with line information: the prelude's
-- have none.
local function kill(reason)
  if not control.dead then
    mark(reason)
    for level = 3, 15 do
      local info = getinfo(level, "Sl")
      if not info then
        break
      end
      if info.currentline > 0 then
        control.file, control.line = info.source, info.currentline
        break
      end
    end
  end
  sethook(closing, "", CLOSING_WINDOW)
  error(TERM, 0)
end

local function make_hook(count_name)
  return function()
    if control.dead then
      sethook(closing, "", CLOSING_WINDOW)
      return closing()
    end
    local budget = control.budget
    if budget then
      control.steps = control.steps + control[count_name]
      if control.steps > budget then
        return kill("steps")
      end
    end
    if poll() > 0 then
      return kill("interrupt")
    end
  end
end

-- Tell whether an error must not be caught. The texts are those of the VM itself: at the limit of the C stack no
-- hook can be called any more, so a script that catches the overflow in a loop could never be stopped.
local function fatal(e)
  if control.dead or rawequal(e, TERM) then
    return true
  end
  if type(e) == "string" then
    if e == "not enough memory" then
      mark("memory")
      return true
    end
    if e == "error in error handling" or find(e, "stack overflow", -14, true) then
      mark("recursion")
      return true
    end
  end
  return false
end

local function rethrow()
  if control.dead then
    sethook(closing, "", CLOSING_WINDOW)
  end
  error(TERM, 0)
end

local function after(ok, ...)
  if not ok and fatal((...)) then
    rethrow()
  end
  return ok, ...
end

function P.pcall(f, ...)
  return after(pcall(f, ...))
end

P.control, P.mark, P.fatal, P.rethrow, P.after = control, mark, fatal, rethrow, after
P.task_hook, P.co_hook = make_hook("count"), make_hook("co_count")
