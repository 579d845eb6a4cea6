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
local sethook, getinfo, getlocal, getmt = debug.sethook, debug.getinfo, debug.getlocal, debug.getmetatable
local upvaluejoin = debug.upvaluejoin
local byte, format, sub = string.byte, string.format, string.sub
local concat, unpack = table.concat, table.unpack
local mathtype, rawlen = math.type, rawlen
local seed_random = math.randomseed

-- Kinds of records and modes of answers, as constants that take no memory: other parts name those they use again.
local CALL <const> = 1
local EMIT <const> = 2
local DONE <const> = 3
local FAILED <const> = 4
local LOAD <const> = 5
local WAIT <const> = 6
local PARK <const> = 8
local REFUSED <const> = 0
local VALUE <const> = 1
local PACKED <const> = 2
local FAULT <const> = 3
local FATAL <const> = 4
local MODULE <const> = 5
local LIST <const> = 6
local RAISE <const> = 7

local function HOST() end
local function PARKED() end

-- The run. Its fields are those of `fresh` too, and:
--   env, main: the globals, and the main chunk
--   idle: coroutines without a task
--   threads: all coroutines of tasks: the host may switch their hooks, so none is freed before the run is forgotten
local Q = { env = nil, main = nil, idle = {}, threads = {} }

-- Forget all tasks and words.
local function fresh()
  Q.tasks = {} -- all that have not ended
  Q.ready, Q.first, Q.last = {}, 1, 0 -- tasks that can go on
  Q.waiting = {} -- by the id of a call: the task that waits for it, or {fire = function}
  Q.outbox, Q.said, Q.taken = {}, 0, 0
  Q.nudged = false -- the host has been asked for a turn
  Q.paused = false -- a task whose words must be heard before it goes on
  Q.unwatched = false -- the host does not know of a new coroutine yet
end

local function say(record)
  local said = Q.said + 1
  Q.said = said
  Q.outbox[said] = record
end

local function make_ready(task)
  local last = Q.last + 1
  Q.last = last
  Q.ready[last] = task
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
  local line = info and info.currentline or 0 -- -1 where a tail call has left no trace of the caller
  local record = { CALL, id, target, method, line > 0 and line or 0, false, ... }
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

-- How tasks begin and end

local MAX_FRAMES <const> = 24
local MAX_LEVELS <const> = 120
local MAX_LOCALS <const> = 24
local MAX_TEXT <const> = 80
local MAX_ITEMS <const> = 5
local MAX_NAME <const> = 24

-- Show a value in few words. No code of the script runs: its objects are neither asked for a text nor iterated.
local function render(v, inside)
  local kind = type(v)
  if kind == "string" then
    return format("%q", #v > MAX_TEXT and sub(v, 1, MAX_TEXT) .. "..." or v)
  elseif kind ~= "table" then
    return is_scalar(v) and tostring(v) or kind
  end
  local mt = getmt(v)
  if mt ~= nil and mt ~= P.ARRAY then
    return kind
  elseif next(v) == nil then
    return "{}"
  elseif inside then
    return "{...}"
  end
  local parts, length, count = {}, rawlen(v), 0
  for k, item in next, v do
    if count == MAX_ITEMS then
      parts[count + 1] = "..."
      break
    end
    count = count + 1
    local name = ""
    if type(k) == "string" then
      name = (#k <= MAX_NAME and k or sub(k, 1, MAX_NAME) .. "...") .. " = "
    elseif mathtype(k) ~= "integer" or k < 1 or k > length then
      name = "[" .. render(k, true) .. "] = "
    end
    parts[count] = name .. render(item, true)
  end
  return "{" .. concat(parts, ", ") .. "}"
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
      -- A function is named by whoever calls it: the prelude's names for it say nothing.
      local caller = info.name ~= "?" and getinfo(level + 1, "l")
      local name = caller and caller.currentline > 0 and info.name
      count = count + 1
      frames[count] = {
        info.source,
        info.currentline,
        info.what == "main" and "" or name or "function at line " .. info.linedefined,
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
    Q.env.params = need("decode")(task.blob)
    task.blob, task.stage = nil, nil
  else
    Q.env.params = {}
  end
  return seal(task, Q.main())
end

local MAIN = { run = run_main }

local function account_of(task, e)
  if fatal(e) then
    return { FAILED, task.id or 0, false, control.dead or "internal", "", n = 5 }
  end
  return { FAILED, task.id, need("account")(task, e), n = 3 }
end

-- What a coroutine of tasks does for ever: run a task, say how it ended, wait for the next.
local function work(task)
  while true do
    local ok, record = xpcall(task.kind.run, capture, task)
    local settle = task.kind.settle
    if settle then
      if ok or not fatal(record) then
        settle(task, ok and record or nil, record)
      end
      record = false
    else
      if not ok then
        record = account_of(task, record)
      end
      if task.id == 0 and P.scheduler and not control.dead then
        record = P.scheduler.wind_up(task, ok, record)
      end
    end
    task = yield(PARKED, record)
  end
end

-- Returns the address of a new coroutine, if one had to be made.
local function begin(task)
  local idle, threads = Q.idle, Q.threads
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
  Q.tasks[task] = true
  make_ready(task)
  return address
end

local function advance(task, ...)
  if not task.thread then
    return task.kind.go(task, ...)
  end
  task.begun = true
  control.task, control.thread = task, task.thread
  local ok, tag, record = resume(task.thread, ...)
  if not ok then
    -- The coroutine itself died: out of memory or stack, or ended while it said how its task ended.
    fatal(tag)
    Q.tasks[task] = nil
    say({ FAILED, task.id or 0, false, control.dead or "internal", type(tag) == "string" and tag or type(tag), n = 5 })
  elseif rawequal(tag, PARKED) then
    Q.idle[#Q.idle + 1] = task.thread
    Q.tasks[task] = nil
    if record then
      say(record)
    end
  elseif record[1] == CALL then
    Q.waiting[record[2]] = task
    task.call = record[2]
    say(record)
  elseif record[1] == PARK then
    return -- whoever wakes it makes it ready
  elseif record[1] == WAIT then
    record[2][#record[2] + 1] = task
  else
    Q.paused = task
    say(record)
  end
end

-- Driver functions

local MOST_TURNS <const> = 2000 -- of tasks, before the host is heard again

local driver = {}

-- Run until nothing can go on, or somebody said something that must be heard first.
-- Returns 0, or 1 if it must be called again at once, 2 if the run must be wound up, 3 if it may be a deadlock,
-- 4 if the host must be heard first.
function driver.step()
  Q.unwatched = false
  local turns = 0
  local task = Q.paused
  if task and not control.dead then
    Q.paused = false
    advance(task)
  end
  while Q.first <= Q.last and not Q.paused and not control.dead and not Q.unwatched do
    local first = Q.first
    task = Q.ready[first]
    Q.ready[first] = nil
    Q.first = first + 1
    local answer = task.answer or task.woken
    if answer then
      task.answer, task.woken = nil, nil
      advance(task, HOST, answer[1], answer[2], answer[3], answer[4])
    else
      advance(task, task)
    end
    turns = turns + 1
    if turns == MOST_TURNS then
      -- Tasks that are busy with each other: let the host be heard, or no timer would end them.
      turns = 0
      if Q.first <= Q.last and not Q.paused and next(Q.waiting) then
        return 4
      end
    end
  end
  control.task, control.thread = false, false
  if control.dead then
    return 2
  elseif P.scheduler and not Q.paused and Q.first > Q.last and next(Q.tasks) and not next(Q.waiting) then
    return 3
  end
  return (Q.paused or Q.unwatched) and 1 or 0
end

-- Hand over the next thing said; nothing when there is none.
function driver.take()
  local taken = Q.taken + 1
  if taken > Q.said then
    Q.outbox, Q.said, Q.taken = {}, 0, 0
    return
  end
  Q.taken = taken
  local record = Q.outbox[taken]
  Q.outbox[taken] = nil
  return unpack(record, 1, record.n)
end

-- Begin a run of `chunk` with encoded parameters.
function driver.start(chunk, seed, params)
  seed_random(seed)
  local env = P.new_environment()
  Q.env, Q.main = env, chunk
  -- A variable of its own for _ENV: closures of an earlier run keep theirs.
  upvaluejoin(chunk, 1, function()
    return env
  end, 1)
  return begin({ id = 0, kind = MAIN, blob = params })
end

function driver.answer(id, ...)
  local task = Q.waiting[id]
  if not task then
    return false
  end
  Q.waiting[id] = nil
  if task.fire then
    task.fire(...)
  else
    task.call = nil
    task.answer = { ... }
    make_ready(task)
  end
  return true
end

fresh()

-- Shared with the lazy parts
P.weak = { __mode = "k" } -- a metatable
P.calls = setmetatable({}, P.weak) -- functions that only call a bridge -> {bridge, method}
P.forgetters = {} -- called when a run is forgotten
P.queue, P.fresh_queue, P.HOST, P.say, P.tell, P.need, P.ask, P.refuse = Q, fresh, HOST, say, tell, need, ask, refuse
P.seal, P.begin, P.advance, P.make_ready, P.answered = seal, begin, advance, make_ready, answered
P.capture, P.account_of = capture, account_of
return driver
