-- The guest's side of the conversation: tasks, what they wait for, and errors.
--
-- A task is a coroutine; the main chunk is one, each call of a script function by the host is another. A task suspends
-- by yielding a word and what goes with it:
--   CALL, {id, ...}      a host call; the task goes on when the host answers that id
--   WAIT                 somebody keeps the task, and makes it ready again
--   PART, name           the part of the runtime that brings R.name, loaded at once
--   WORK, name, packed   work of the runtime itself that Python does at once
--   EMIT, text           output, passed on at once
-- step() runs the tasks that can go on until none can or one wants something at once. It takes no argument and returns
-- a small integer, so that it, and only it, can run under a memory limit. What was said is fetched with take(); a
-- record begins with one of the words above, DONE or FAILED.

local R = ...

local create, resume, yield, status = coroutine.create, coroutine.resume, coroutine.yield, coroutine.status
local getinfo, unpack = debug.getinfo, table.unpack
local select, error, type, next, rawget, setmetatable = select, error, type, next, rawget, setmetatable

local CALL <const> = 1
local EMIT <const> = 2
local DONE <const> = 3
local FAILED <const> = 4
local PART <const> = 5
local WORK <const> = 6
local WAIT <const> = 7

local D = R.driver

-- Tasks

local main -- the task of the main chunk
local on_end -- told what the main chunk said at its end, if something else may still go on then
local ready, first, last = {}, 1, 0
local waiting, waiters = {}, 0 -- by the id of the call a task waits for
local calls = 0
local paused -- a task that goes on as soon as what it said was heard
local broken, reason -- a task that failed, and with what
local outbox, said, taken = {}, 0, 0

local function say(record)
  said = said + 1
  outbox[said] = record
end

local function make_ready(task, ...)
  task.n = select("#", ...)
  if task.n > 0 then
    task.answer = { ... }
  end
  last = last + 1
  ready[last] = task
end

local function finish(task, record)
  if task.over then
    task.over(record)
  elseif task == main and record[1] == DONE and on_end then
    on_end(record)
  else
    say(record)
  end
end

local function settle(task, ok, word, a, b)
  if not ok then
    broken, reason = task, word
  elseif status(task.co) == "dead" then
    finish(task, word)
  elseif word == CALL then
    waiting[a[2]] = task
    waiters = waiters + 1
    task.call = a[2]
    say(a)
  elseif word ~= WAIT then
    paused = task
    say({ word, a, b })
  end
end

local function advance(task)
  R.task = task
  local answer, n = task.answer, task.n
  task.answer, task.n = nil, 0
  if answer then
    settle(task, resume(task.co, unpack(answer, 1, n)))
  else
    settle(task, resume(task.co))
  end
end

-- Begin a task; f gets the task and returns the record that is said at its end.
local function begin(task, f)
  task.co = create(f)
  make_ready(task, task)
  return task
end

-- whether a value can go out as it is
local function is_simple(v)
  local kind = type(v)
  return kind == "nil" or kind == "boolean" or kind == "number" or kind == "string" and #v <= R.value_limits.bytes
end

-- a value on its way out: as it is, or packed
local function outward(v, faithful)
  if is_simple(v) and not (faithful and type(v) == "string") then
    return v, false
  end
  return R.encoded(v, faithful), true
end

R.say, R.make_ready, R.begin, R.outward = say, make_ready, begin, outward
R.CALL, R.EMIT, R.DONE, R.FAILED, R.WORK, R.WAIT = CALL, EMIT, DONE, FAILED, WORK, WAIT

function R.at_end(f)
  on_end = f
end

-- where the script is, as chunk:line, or false; level 2 is who called the function that asks
local function place()
  for level = 3, 12 do
    local info = getinfo(level, "Sl")
    if not info then
      return false
    elseif info.currentline > 0 then
      return info.source .. ":" .. info.currentline
    end
  end
  return false
end
R.place = place

setmetatable(R, {
  __index = function(_, name)
    yield(PART, name)
    return rawget(R, name)
  end,
})

-- Ask the host for `method` of `target`, with n arguments.
function R.ask(target, method, n, ...)
  local id = calls + 1
  calls = id
  local record = { CALL, id, target, method, place(), false }
  for at = 1, n do
    local v = (select(at, ...))
    if not is_simple(v) then
      record[6], record[7] = R.encoded_list(false, 1, n, ...), nil
      n = 1
      break
    end
    record[at + 6] = v
  end
  record.n = n + 6
  return R.answered(id, yield(CALL, record))
end

local VALUE <const> = 1
local PACKED <const> = 2
local FAULT <const> = 3

function R.answered(call, mode, a, b, c)
  if mode == VALUE then
    return a
  elseif mode == PACKED then
    return R.decoded_value(a)
  elseif mode == FAULT then
    return R.fault(call, a, b, c)
  end
  return R.unusual_answer(mode, a, b, c)
end

-- Work for Python: the answer is a value, or an error value's message
function R.internal(name, ...)
  local fault, packed = yield(WORK, name, R.encoded_list(true, 1, select("#", ...), ...))
  if fault then
    error("\1e\1" .. fault, 0)
  end
  return R.decoded_value(packed)
end

function R.emit(s)
  yield(EMIT, s)
end

function R.sleep(seconds)
  return R.ask("@host", "sleep", 1, seconds)
end

-- For Python

-- Run a program's main function with its predefined globals: a packed list, or none for one empty map.
function D.start(chunk, packed, faithful)
  main = { id = 0 }
  R.main = main
  begin(main, function()
    local globals = {}
    if packed then
      local list = R.decoded_value(packed)
      for index = 0, list[R.L] - 1 do
        globals[index + 1] = list[index]
      end
    else
      globals[1] = setmetatable({}, R.MAP)
    end
    local kind, value = chunk(globals)
    if kind == "globals" then
      value = R.listed(value)
    end
    return { DONE, 0, kind or "", outward(value, faithful) }
  end)
end

local MOST_TURNS <const> = 2000 -- of tasks, before the host is heard again

-- A call that nobody waits for: its answer brings us back when the others that are there have been heard.
local NUDGE = {}
local nudged = false

local function nudge()
  if not nudged then
    nudged = true
    calls = calls + 1
    waiting[calls] = NUDGE
    waiters = waiters + 1
    say({ CALL, calls, "@host", "sleep", false, false, 0, n = 7 })
  end
end

-- Returns 0, or 1 if it must be called again once what was said is heard, or 2 once the part "ending" is there.
function D.step()
  if broken then
    local task = broken
    broken = nil
    finish(task, { FAILED, task.id, R.failure(task.co, reason) })
  elseif paused then
    local task = paused
    paused = nil
    advance(task)
  end
  local turns = 0
  while first <= last and not paused and not broken do
    local task = ready[first]
    ready[first] = nil
    first = first + 1
    if not task.gone then
      advance(task)
    end
    turns = turns + 1
    if turns == MOST_TURNS then
      -- Tasks that are busy with each other: let the host be heard, or no timer would end them.
      turns = 0
      if first <= last and not paused and not broken and waiters > 0 then
        nudge()
        return 0
      end
    end
  end
  return broken and 2 or paused and 1 or 0
end

function D.take()
  if taken >= said then
    if said > 0 then
      outbox, said, taken = {}, 0, 0
    end
    return nil
  end
  taken = taken + 1
  local record = outbox[taken]
  outbox[taken] = nil
  return unpack(record, 1, record.n or 5)
end

-- Answer what a task asked for at once.
function D.tell(...)
  paused.answer, paused.n = { ... }, select("#", ...)
end

-- Answer a host call.
function D.answer(call, ...)
  local task = waiting[call]
  if task then
    waiting[call] = nil
    waiters = waiters - 1
    if task == NUDGE then
      nudged = false
      return
    end
    task.call = nil
    make_ready(task, ...)
  end
end

-- Take a task off whatever it waits for; it never goes on.
function R.drop(task)
  task.gone = true
  local call = task.call
  if call then
    waiting[call] = nil
    waiters = waiters - 1
    task.call = nil
    calls = calls + 1
    say({ CALL, calls, "@host", "cancel", false, false, call, n = 7 })
  end
  if paused == task then
    paused = nil
  end
end

-- Ask the host for something without waiting for an answer.
function R.ask_unheard(target, method)
  calls = calls + 1
  say({ CALL, calls, target, method, false, false, n = 6 })
end

-- a new number for a call that Python makes
function D.reserve()
  calls = calls + 1
  return calls
end

-- nothing can go on, and nobody was asked for anything
function D.stuck()
  return waiters == 0 and first > last and not paused
end

-- Forget the run; parts that keep something of one register here.
R.forgetters = {}
function D.reset()
  main, paused, broken, reason, R.task = nil, nil, nil, nil, false
  ready, first, last = {}, 1, 0
  waiting, waiters, calls, nudged = {}, 0, 0, false
  outbox, said, taken = {}, 0, 0
  D.forget_use()
  for index = 1, #R.forgetters do
    R.forgetters[index]()
  end
end

return D
