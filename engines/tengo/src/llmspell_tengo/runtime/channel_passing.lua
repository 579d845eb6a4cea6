-- How values pass through channels: those who wait in line, giving, taking.

local R = ...

local setmetatable = setmetatable
local park, wake, coded_error = R.park, R.wake, R.coded_error
local MAP = R.MAP

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

R.channel_passing = {
  queue = queue,
  waiting = waiting,
  line_up = line_up,
  count = count,
  closed_error = closed_error,
  give = give,
  take = take,
  wait = wait,
  receive = receive,
  received = received,
  each = each,
}
