-- The module channel.

local R = ...

local next, type, setmetatable, math_type = next, type, setmetatable, math.type
local check_count, check_function, check_seconds, check_list = R.check_count, R.check_function, R.check_seconds, R.check_list
local park, wake, coded_error, kind_of = R.park, R.wake, R.coded_error, R.kind_of
local L, MAP = R.L, R.MAP

local open, open_count, numbers, turn = {}, 0, 0, 0

-- queues: first and last index, entries; `most` is how many may wait before those that no longer do are let go
local function queue()
  return { first = 1, last = 0, most = 16 }
end

local function push(q, v)
  q.last = q.last + 1
  q[q.last] = v
end

-- the first entry whose ticket nobody has taken, or nil
local function waiting(q)
  while q.first <= q.last do
    local entry = q[q.first]
    if not entry.ticket.woken then
      return entry
    end
    q[q.first] = nil
    q.first = q.first + 1
  end
  return nil
end

-- put an entry in line; what was woken elsewhere, or gave up, leaves the line of a channel that nobody serves, too
local function line_up(q, entry)
  if q.last - q.first >= q.most then
    local kept = 0
    for index = q.first, q.last do
      local other = q[index]
      q[index] = nil
      if not other.ticket.woken then
        kept = kept + 1
        q[kept] = other
      end
    end
    q.first, q.last, q.most = 1, kept, 2 * kept + 16
  end
  push(q, entry)
end

local function count(q)
  local n = 0
  for index = q.first, q.last do
    if not q[index].ticket.woken then
      n = n + 1
    end
  end
  return n
end

local function pop(q)
  local v = q[q.first]
  q[q.first] = nil
  q.first = q.first + 1
  return v
end

local function closed_error(ch)
  return coded_error("closed", "channel " .. ch.shown .. " is closed")
end

-- give a value at once, if it can be
local function give(ch, v)
  local entry = waiting(ch.receivers)
  if entry then
    pop(ch.receivers)
    wake(entry.ticket, entry.index, v, true)
    return true
  elseif ch.held < ch.capacity then
    push(ch.buffer, { v })
    ch.held = ch.held + 1
    return true
  end
  return false
end

-- take a value at once: whether there was one, the value, and whether the channel is not at its end
local function take(ch)
  local entry
  if ch.held > 0 then
    local v = pop(ch.buffer)[1]
    ch.held = ch.held - 1
    entry = waiting(ch.senders)
    if entry then
      pop(ch.senders)
      push(ch.buffer, { entry.value })
      ch.held = ch.held + 1
      wake(entry.ticket, entry.index, nil, true)
    end
    return true, v, true
  end
  entry = waiting(ch.senders)
  if entry then
    pop(ch.senders)
    wake(entry.ticket, entry.index, nil, true)
    return true, entry.value, true
  elseif ch.closed then
    return true, nil, false
  end
  return false
end

local function received(v, ok)
  return R.keep_keys(setmetatable({ value = v, ok = ok }, MAP), "value")
end

-- wait in a queue; returns the value and whether it went well, or "timeout"
local function wait(ch, q, entry, seconds, what)
  local ticket = {}
  entry.ticket = ticket
  line_up(q, entry)
  local timer = seconds and R.timer(seconds, function()
    wake(ticket, "timeout")
  end)
  local function stop()
    ticket.woken = true
    R.stop_timer(timer)
  end
  local index, v, ok = park(ticket, what .. " channel " .. ch.shown, stop)
  R.stop_timer(timer)
  return v, ok, index == "timeout"
end

local function receive(ch, seconds)
  local now, v, ok = take(ch)
  if now then
    return v, ok
  end
  local late
  v, ok, late = wait(ch, ch.receivers, {}, seconds, "to receive from")
  if late then
    return coded_error("timeout", "nothing came within " .. R.shown(seconds) .. " s"), nil
  end
  return v, ok
end

local methods = {}

function methods.send(ch, n, v)
  check_count("send", n, 1, 1)
  if ch.closed then
    return closed_error(ch)
  end
  if give(ch, v) then
    return nil
  end
  local _, ok = wait(ch, ch.senders, { value = v }, nil, "to send to")
  if not ok then
    return closed_error(ch)
  end
end

function methods.receive(ch, n, seconds)
  check_count("receive", n, 0, 1)
  local v, ok = receive(ch, check_seconds("receive", "first", seconds))
  if ok == nil then
    return v
  end
  return received(v, ok)
end

function methods.try_send(ch, n, v)
  check_count("try_send", n, 1, 1)
  if ch.closed then
    return closed_error(ch)
  end
  return give(ch, v)
end

function methods.try_receive(ch, n)
  check_count("try_receive", n, 0, 0)
  local _, v, ok = take(ch)
  return received(v, ok == true)
end

function methods.close(ch, n)
  check_count("close", n, 0, 0)
  if ch.closed then
    return closed_error(ch)
  end
  ch.closed = true
  open[ch] = nil
  open_count = open_count - 1
  local entry = waiting(ch.receivers)
  while entry do
    wake(entry.ticket, entry.index, nil, false)
    entry = waiting(ch.receivers)
  end
  entry = waiting(ch.senders)
  while entry do
    wake(entry.ticket, entry.index, nil, false)
    entry = waiting(ch.senders)
  end
end

function methods.info(ch, n)
  check_count("info", n, 0, 0)
  return setmetatable({
    id = ch.number,
    name = ch.shown,
    capacity = ch.capacity,
    length = ch.held,
    closed = ch.closed,
    senders = count(ch.senders),
    receivers = count(ch.receivers),
  }, MAP)
end

-- f(value) for each value until it is closed and empty, or f returns false
local function each(f, next_value)
  while true do
    local v, ok = next_value()
    if ok == nil then
      return v
    elseif not ok then
      return nil
    end
    if f(1, v) == false then
      return nil
    end
  end
end

function methods.each(ch, n, f)
  check_count("each", n, 1, 1)
  check_function("each", "first", f)
  return each(f, function()
    return receive(ch)
  end)
end

local as_channel = R.live_type("channel", {
  id = function(ch)
    return ch.number
  end,
  name = function(ch)
    return ch.shown
  end,
  closed = function(ch)
    return ch.closed
  end,
}, methods)

local members = {}

local function capacity_of(name, at, capacity)
  if capacity == nil then
    return 0
  elseif math_type(capacity) ~= "integer" or capacity < 0 then
    R.bad_argument("user-function:" .. name, at, "int of zero or more", capacity)
  end
  return capacity
end

function members.new(n, capacity, name)
  check_count("new", n, 0, 2)
  if open_count >= R.most_channels then
    R.fail("more than " .. R.most_channels .. " channels are open at once (limit: channels)")
  end
  numbers = numbers + 1
  local ch = {
    number = numbers,
    shown = name ~= nil and R.shown(name) or "" .. numbers,
    capacity = capacity_of("new", "first", capacity),
    buffer = queue(),
    senders = queue(),
    receivers = queue(),
    held = 0,
    closed = false,
  }
  open[ch] = true
  open_count = open_count + 1
  return as_channel(ch)
end

-- Channels between the runs of a session, which live in the host.

local function received_from_host(answer)
  if kind_of(answer) == "error" then
    return answer
  end
  return received(answer[0], answer[1])
end

local shared_methods = {}
for name, limits in
  next,
  { send = { 1, 1 }, try_send = { 1, 1 }, try_receive = { 0, 0 }, close = { 0, 0 }, info = { 0, 0 } }
do
  shared_methods[name] = function(shared, n, ...)
    check_count(name, n, limits[1], limits[2])
    local answer = R.ask(shared.target, name, n, ...)
    return name == "try_receive" and received_from_host(answer) or answer
  end
end

function shared_methods.receive(shared, n, seconds)
  check_count("receive", n, 0, 1)
  seconds = check_seconds("receive", "first", seconds)
  local function ask()
    return R.ask(shared.target, "receive", 0)
  end
  if not seconds then
    return received_from_host(ask())
  end
  local in_time, answer = R.within(seconds, "to receive from a shared channel", ask, 0)
  if not in_time then
    return coded_error("timeout", "nothing came within " .. R.shown(seconds) .. " s")
  end
  return received_from_host(answer)
end

function shared_methods.each(shared, n, f)
  check_count("each", n, 1, 1)
  check_function("each", "first", f)
  return each(f, function()
    local answer = R.ask(shared.target, "receive", 0)
    if kind_of(answer) == "error" then
      return answer, nil
    end
    return answer[0], answer[1]
  end)
end

local as_shared = R.live_type("shared channel", {}, shared_methods)

function members.shared(n, name, capacity)
  check_count("shared", n, 1, 2)
  if type(name) ~= "string" then
    R.bad_argument("user-function:shared", "first", "string", name)
  end
  local host = R.ask("@host", "shared_channel", 2, name, capacity_of("shared", "second", capacity))
  if kind_of(host) == "error" then
    return host
  end
  return as_shared({ target = R.target_of(host), host = host })
end

function members.list(n)
  check_count("list", n, 0, 0)
  local list, size = {}, 0
  for ch in next, open do
    size = size + 1
    list[size] = ch
  end
  table.sort(list, function(a, b)
    return a.number < b.number
  end)
  for index = 0, size - 1 do
    list[index] = list[index + 1].value
  end
  list[size] = nil
  return R.list(size, list)
end

function members.each(n, v, f)
  check_count("each", n, 2, 2)
  check_function("each", "second", f)
  local ch = R.state_of(v, "channel")
  if ch then
    return methods.each(ch, 1, f)
  end
  local shared = R.state_of(v, "shared channel")
  if not shared then
    R.bad_argument("user-function:each", "first", "channel", v)
  end
  return shared_methods.each(shared, 1, f)
end

-- Waiting for one of several

local function case_of(case, index)
  local kind = kind_of(case)
  if kind ~= "map" and kind ~= "immutable-map" then
    R.bad_argument("user-function:select", "first", "array of maps", case)
  end
  local receiving = case.receive ~= nil
  if receiving and case.send ~= nil then
    R.fail("case " .. index .. " of select both receives and sends: make it two")
  end
  local ch = R.state_of(receiving and case.receive or case.send, "channel")
  if not ch then
    R.fail("case " .. index .. " of select names no channel of this script: give {receive: ch} or {send: ch, value: v}")
  end
  return ch, receiving, case.value
end

local function outcome(kind, index, v, ok)
  local result = { kind = kind, index = index, value = v, ok = ok }
  return R.keep_keys(setmetatable(result, MAP), "index", "value")
end

function members.select(n, cases, options)
  check_count("select", n, 1, 2)
  cases = check_list("select", "first", cases)
  local known = { default = true, timeout = true }
  local default = options ~= nil and R.option("select", options, known, "default")
  local seconds = options ~= nil and check_seconds("select", "timeout", R.option("select", options, known, "timeout"))
  local size = cases[L]
  for index = 0, size - 1 do
    case_of(cases[index], index)
  end
  turn = turn + 1
  for step = 0, size - 1 do
    local index = (turn + step) % size
    local ch, receiving, v = case_of(cases[index], index)
    if receiving then
      local now, got, ok = take(ch)
      if now then
        return outcome("receive", index, got, ok)
      end
    elseif ch.closed then
      return closed_error(ch)
    else
      if give(ch, v) then
        return outcome("send", index, nil, true)
      end
    end
  end
  if default then
    return outcome("default", nil, nil, false)
  end
  if size == 0 and not seconds then
    return coded_error("empty", "select of nothing would never end")
  end
  local ticket = {}
  for index = 0, size - 1 do
    local ch, receiving, v = case_of(cases[index], index)
    line_up(receiving and ch.receivers or ch.senders, { ticket = ticket, index = index, value = v })
  end
  local timer = seconds and R.timer(seconds, function()
    wake(ticket, "timeout")
  end)
  local index, v, ok = park(ticket, "channel.select", function()
    ticket.woken = true
    R.stop_timer(timer)
  end)
  R.stop_timer(timer)
  if index == "timeout" then
    return outcome("timeout", nil, nil, false)
  end
  local ch, receiving = case_of(cases[index], index)
  if receiving then
    return outcome("receive", index, v, ok)
  elseif not ok then
    return closed_error(ch)
  end
  return outcome("send", index, nil, true)
end

R.define_module("channel", members)
R.forgetters[#R.forgetters + 1] = function()
  open, open_count, numbers, turn = {}, 0, 0, 0
end
