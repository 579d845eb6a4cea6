-- Tasks, host calls, and the driver functions, none of which a script can reach.
--
-- The main chunk and every invocation is a task on a coroutine of its own. A task that needs the host yields HOST
-- and a record of what it says. `step` runs the tasks that can go on until none can, and keeps what they say for
-- `take`. It takes no argument and returns a small integer, so that the host can hold it, and only it, under the
-- memory limit.
--
-- Records: {CALL, id, target, method, line, blob or false, arguments...}, {EMIT, kind, text},
-- {DONE, task, blob or false, results...}, {FAILED, task, blob}, or {FAILED, task, false, reason, text} where nothing
-- could be made of it any more, {LOAD, part}, {WAIT, waiters}, {THREAD, address}: a coroutine that the host must know
-- of before it runs, {PARK}. Answers to a CALL: mode and up to three fields; to a PARK: whether it went well, and up to
-- two values.

local P = ...
local control, fatal, mark, rethrow = P.control, P.fatal, P.mark, P.rethrow
local error, next, rawequal, select, tostring, type, xpcall = error, next, rawequal, select, tostring, type, xpcall
local create, resume, yield, yieldable = coroutine.create, coroutine.resume, coroutine.yield, coroutine.isyieldable
local sethook, getinfo, getlocal = debug.sethook, debug.getinfo, debug.getlocal
local getupvalue, upvaluejoin = debug.getupvalue, debug.upvaluejoin
local byte, format, sub = string.byte, string.format, string.sub
local unpack = table.unpack
local seed_random = math.randomseed

local CALL, EMIT, DONE, FAILED, LOAD, WAIT, THREAD, PARK = 1, 2, 3, 4, 5, 6, 7, 8
local REFUSED, VALUE, PACKED, FAULT, FATAL, MODULE, LIST, RAISE = 0, 1, 2, 3, 4, 5, 6, 7

local function HOST() end
local function PARKED() end

local env, main_chunk
local tasks = {} -- all that have not ended
local ready, first, last = {}, 1, 0 -- tasks that can go on
local waiting = {} -- by the id of a call: the task that waits for it, or {fire = function}
local outbox, said, taken = {}, 0, 0
local paused = false -- a task whose words must be heard before it goes on
local unwatched = false -- the host does not know of a new coroutine yet
local idle = {} -- coroutines without a task
local threads = {} -- all coroutines of tasks: the host may switch their hooks, so none is freed before `reset`

local function say(record)
  said = said + 1
  outbox[said] = record
end

local function make_ready(task)
  last = last + 1
  ready[last] = task
end

-- What tasks say

-- Say something and go on; at once where the task can be suspended, else with the next thing it says.
local function tell(record)
  if control.dead then
    rethrow()
  end
  if yieldable() then
    local _, mode = yield(HOST, record)
    if control.dead then
      rethrow()
    end
    if mode == REFUSED and record[1] ~= LOAD then -- by a relay that could not suspend
      say(record)
    end
  elseif record[1] ~= LOAD then
    say(record)
  end
end

local function refuse(what)
  error(
    what
      .. " cannot be called here: C code (a __tostring under string.format, an xpcall handler, a metamethod under"
      .. " ipairs or a table function) waits for this function and cannot be suspended; call it before instead",
    0
  )
end

-- Return a part of the prelude, loading it if need be. Where nothing can be loaded now, `what` is refused; without
-- it the answer is nil.
local function need(name, what)
  if P[name] == nil then
    tell({ LOAD, name, n = 2 })
    if what and P[name] == nil then
      refuse(what)
    end
  end
  return P[name]
end

local function answered(record, tag, mode, a, b, c)
  if not rawequal(tag, HOST) then
    error("a host call was answered by somebody else", 0)
  elseif mode == VALUE then
    return a
  elseif mode == PACKED then
    return need("decode")(a)
  elseif mode == LIST then
    return P.array(a)
  elseif mode == MODULE then
    return a, b, c
  elseif mode == FAULT then
    return need("errors").raise(record[2], a, b, c)
  elseif mode == FATAL then
    mark(a)
    return rethrow()
  elseif mode == RAISE then
    error(a, 0)
  end
  return refuse(record[3] .. "." .. record[4])
end

local function is_scalar(v)
  local kind = type(v)
  return kind == "string" or kind == "number" or kind == "boolean" or kind == "nil"
end

-- Ask the host for `method` of `target`. To be tail-called, so that level 2 is the script.
local function ask(target, method, ...)
  if control.dead then
    rethrow()
  end
  if not yieldable() then
    refuse(target .. "." .. method)
  end
  if control.task.cancelled or control.task.body then
    P.scheduler.check_cancelled(control.task)
  end
  local id = control.calls + 1
  control.calls = id
  local info = getinfo(2, "l")
  local record = { CALL, id, target, method, info and info.currentline or 0, false, ... }
  record.n = select("#", ...) + 6
  for at = 7, record.n do
    if not is_scalar(record[at]) then
      record[6] = need("encode").arguments(select("#", ...), ...)
      record.n = 6
      break
    end
  end
  return answered(record, yield(HOST, record))
end

-- Suspend the running task until `task.woken` is set and it is made ready.
local function yield_host(what)
  if control.dead then
    rethrow()
  end
  if not yieldable() then
    refuse("waiting for " .. what)
  end
  local _, ok, a, b = yield(HOST, { PARK, n = 1 })
  if ok == FATAL then
    mark(a)
    return rethrow()
  elseif ok == REFUSED then
    return refuse("waiting for " .. what)
  end
  return ok, a, b
end

-- Calls that no task waits for: `fire` runs in the scheduler when the answer comes.
local function call_later(target, method, fire, ...)
  local id = control.calls + 1
  control.calls = id
  waiting[id] = { fire = fire }
  say({ CALL, id, target, method, 0, false, n = select("#", ...) + 6, ... })
  return id
end

-- Have the host drop a call, and expect no answer.
local function drop_call(id)
  if waiting[id] then
    waiting[id] = nil
    control.calls = control.calls + 1
    say({ CALL, control.calls, "@host", "cancel", 0, false, id, n = 7 })
  end
end

-- How tasks begin and end

local MAX_FRAMES, MAX_LEVELS, MAX_LOCALS, MAX_TEXT = 24, 120, 24, 80

local function render(v)
  local kind = type(v)
  if kind == "string" then
    return format("%q", #v > MAX_TEXT and sub(v, 1, MAX_TEXT) .. "..." or v)
  end
  return is_scalar(v) and tostring(v) or kind -- never tostring on a script's object: that may run its code
end

-- Message handler of every task: look at the stack while it is still there.
local function capture(e)
  fatal(e)
  local frames, count = {}, 0
  for level = 2, MAX_LEVELS do
    local info = getinfo(level, "Slnt")
    if not info or count == MAX_FRAMES then
      break
    end
    if info.currentline > 0 then -- neither C nor the prelude, which has no line information
      local locals = {}
      for at = 1, MAX_LOCALS do
        local name, v = getlocal(level, at)
        if not name then
          break
        end
        if byte(name, 1) ~= 40 then -- "(temporary)" and its kind
          locals[name] = render(v)
        end
      end
      count = count + 1
      frames[count] = {
        info.source,
        info.currentline,
        info.what == "main" and "" or info.name ~= "?" and info.name or "function at line " .. info.linedefined,
        locals,
      }
    end
  end
  control.task.frames, control.frames = frames, frames
  return e
end

-- Say the results of a task.
local function seal(task, ...)
  local record = { DONE, task.id, false, ... }
  record.n = select("#", ...) + 3
  for at = 4, record.n do
    if not is_scalar(record[at]) then
      task.stage = "result"
      return { DONE, task.id, need("encode").results(select("#", ...), ...), n = 3 }
    end
  end
  return record
end

local function run_main(task)
  if task.blob then
    task.stage = "params"
    env.params = need("decode")(task.blob)
    task.blob, task.stage = nil, nil
  else
    env.params = {}
  end
  return seal(task, main_chunk())
end

local function account_of(task, e)
  if fatal(e) then
    return { FAILED, task.id or 0, false, control.dead or "internal", "", n = 5 }
  end
  return { FAILED, task.id, need("account")(task, e), n = 3 }
end

-- The main chunk has ended: the run ends when its other tasks have.
local function wind_up(task, ok, record)
  local fine, e, frames = xpcall(P.scheduler.wind_up, capture, not ok)
  if not fine then
    return account_of(task, e)
  elseif frames then
    task.frames = frames
    return account_of(task, e)
  end
  return record
end

-- What a coroutine of tasks does for ever: run a task, say how it ended, wait for the next.
local function work(task)
  while true do
    local ok, record = xpcall(task.run, capture, task)
    if task.settle then
      if ok or not fatal(record) then
        task.settle(task, ok and record or nil, record)
      end
      record = false
    else
      if not ok then
        record = account_of(task, record)
      end
      if task.id == 0 and P.scheduler and not control.dead then
        record = wind_up(task, ok, record)
      end
    end
    task = yield(PARKED, record)
  end
end

-- Returns the address of a new coroutine, if one had to be made.
local function begin(task)
  local count = #idle
  local thread, address = idle[count], nil
  if thread then
    idle[count] = nil
  else
    thread = create(work)
    threads[#threads + 1] = thread
    count = control.count
    if count >= 0 then -- even to be switched on later a hook must have been set once
      sethook(thread, P.task_hook, "", count > 0 and count or 1)
    end
    address = format("%p", thread)
  end
  task.thread = thread
  tasks[task] = true
  make_ready(task)
  return address
end

local function advance(task, ...)
  task.begun = true
  control.task, control.thread = task, task.thread
  local ok, tag, record = resume(task.thread, ...)
  if not ok then
    -- The coroutine itself died: out of memory or stack, or ended while it said how its task ended.
    fatal(tag)
    tasks[task] = nil
    say({ FAILED, task.id or 0, false, control.dead or "internal", type(tag) == "string" and tag or type(tag), n = 5 })
  elseif rawequal(tag, PARKED) then
    idle[#idle + 1] = task.thread
    tasks[task] = nil
    if record then
      say(record)
    end
  elseif record[1] == CALL then
    waiting[record[2]] = task
    task.call = record[2]
    say(record)
  elseif record[1] == PARK then
    return -- whoever wakes it makes it ready
  elseif record[1] == WAIT then
    record[2][#record[2] + 1] = task
  else
    paused = task
    say(record)
  end
end

-- Driver functions

local driver = {}

-- Run until nothing can go on, or somebody said something that must be heard first.
-- Returns 0, or 1 if it must be called again at once, or 2 if the run must be wound up.
function driver.step()
  unwatched = false
  if paused and not control.dead then
    local task = paused
    paused = false
    advance(task)
  end
  while first <= last and not paused and not control.dead and not unwatched do
    local task = ready[first]
    ready[first] = nil
    first = first + 1
    local answer = task.answer or task.woken
    if answer then
      task.answer, task.woken = nil, nil
      advance(task, HOST, answer[1], answer[2], answer[3], answer[4])
    else
      advance(task, task)
    end
  end
  control.task, control.thread = false, false
  if P.scheduler and first > last and not paused and not control.dead and next(tasks) and next(waiting) == nil then
    unwatched = P.scheduler.deadlock(tasks)
  end
  return control.dead and 2 or (paused or unwatched) and 1 or 0
end

-- Hand over the next thing said; nothing when there is none.
function driver.take()
  if taken >= said then
    outbox, said, taken = {}, 0, 0
    return
  end
  taken = taken + 1
  local record = outbox[taken]
  outbox[taken] = nil
  return unpack(record, 1, record.n)
end

-- Begin a run of `chunk` with encoded parameters.
function driver.start(chunk, seed, params)
  seed_random(seed)
  env, main_chunk = P.new_environment(), chunk
  -- A variable of its own for _ENV: closures of an earlier run keep theirs.
  upvaluejoin(chunk, 1, function()
    return env
  end, 1)
  return begin({ id = 0, run = run_main, blob = params })
end

function driver.answer(id, ...)
  local task = waiting[id]
  if task then
    waiting[id] = nil
    if task.fire then
      task.fire(...)
    else
      task.call = nil
      task.answer = { ... }
      make_ready(task)
    end
  end
  return task ~= nil
end

-- Be ready for invocations without a main chunk.
function driver.idle(seed)
  seed_random(seed)
  env, main_chunk = P.new_environment(), function() end
end

-- Cancel the task of an invocation.
function driver.cancel(id, reason)
  for task in next, tasks do
    if task.id == id then
      need("scheduler").cancel(task, reason)
      return
    end
  end
end

-- Forget the run. Returns how many coroutines are kept: none if one was left in the middle of something.
function driver.reset(drop_threads)
  if main_chunk then
    local nothing
    if getupvalue(main_chunk, 1) then
      upvaluejoin(main_chunk, 1, function()
        return nothing
      end, 1)
    end
  end
  if drop_threads or control.dead or next(tasks) then
    idle, threads = {}, {}
  end
  env, main_chunk, paused, unwatched = nil, nil, false, false
  tasks, waiting = {}, {}
  ready, first, last = {}, 1, 0
  outbox, said, taken = {}, 0, 0
  control.dead, control.file, control.line, control.status, control.frames = false, false, 0, nil, nil
  control.steps, control.calls = 0, 0
  for _, forget in next, P.forgetters do
    forget()
  end
  return #threads
end

-- Shared with the lazy parts
P.forgetters = {} -- called when a run is forgotten
P.HOST, P.say, P.tell, P.need, P.ask, P.refuse, P.seal, P.begin = HOST, say, tell, need, ask, refuse, seal, begin
P.EMIT, P.WAIT, P.FAILED, P.FATAL, P.REFUSED = EMIT, WAIT, FAILED, FATAL, REFUSED
P.advance, P.make_ready = advance, make_ready
P.yield_host, P.call_later, P.drop_call = yield_host, call_later, drop_call
P.fail_call = function(task, err)
  task.call = nil
  task.answer = { RAISE, err }
  make_ready(task)
end
P.fresh = function(address)
  if address then
    unwatched = true
    say({ THREAD, address, n = 2 })
  end
end
P.environment = function()
  return env
end
P.unfinished = function()
  ready, first, last, waiting, paused = {}, 1, 0, {}, false
  return tasks
end
return driver
