-- The module channel: channels of one run, and the way to shared ones and to select.

local R = ...

local next, type, math_type = next, type, math.type
local check_count, check_function, check_seconds = R.check_count, R.check_function, R.check_seconds
local wake, MAP = R.wake, R.MAP
local passing = R.channel_passing
local queue, waiting, count, closed_error = passing.queue, passing.waiting, passing.count, passing.closed_error
local give, take, wait, each = passing.give, passing.take, passing.wait, passing.each
local receive, received = passing.receive, passing.received

local open, open_count, numbers = {}, 0, 0

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

local members = { select = R.select_channels }

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

function members.shared(n, name, capacity)
  check_count("shared", n, 1, 2)
  if type(name) ~= "string" then
    R.bad_argument("user-function:shared", "first", "string", name)
  end
  return R.shared_channel(name, capacity_of("shared", "second", capacity))
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
  return R.each_of_shared(shared, f)
end

R.define_module("channel", members)
R.forgetters[#R.forgetters + 1] = function()
  open, open_count, numbers = {}, 0, 0
end
