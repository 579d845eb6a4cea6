-- The module `channel`: between tasks of one guest. The rest of it is in `selecting` and `sharing`.

local P = ...
local S, X = P.scheduler, P.stopping
local error, ipairs, next, rawget, setmetatable, type = error, ipairs, next, rawget, setmetatable, type
local remove = table.remove
local format = string.format
local mathtype = math.type

local M = {}
local CHANNEL = { __metatable = false, __name = "channel" }
local methods = {}
local channels = setmetatable({}, P.weak) -- proxies -> channels
local living = setmetatable({}, P.weak)
local last_id, open_count = 0, 0

-- A channel: items from `first` to `last`; `senders` and `receivers` are parked tasks, a sender's value being in
-- `task.sends`. A task that selects is in several places at once, by entries of its own: {select = ..., ...}.

local function channel_of(handle, name)
  local channel = channels[handle]
  if not channel then
    error("bad argument #1 to '" .. name .. "' (channel expected, got " .. type(handle) .. ")", 3)
  end
  return channel
end

local function closed_error(channel)
  return S.make_error("closed", format("%s is closed", channel.name))
end

function M.new(capacity, name)
  capacity = capacity == nil and 0 or capacity
  if mathtype(capacity) ~= "integer" or capacity < 0 then
    error("bad argument #1 to 'new' (a capacity expected, a whole number from 0 on)", 2)
  end
  if open_count >= P.limits.channels then
    S.raise("too_many_channels", format("more than %d channels (limit: channels)", P.limits.channels))
  end
  last_id = last_id + 1
  open_count = open_count + 1
  local channel = {
    id = last_id,
    name = name or "channel " .. last_id,
    capacity = capacity,
    items = {},
    first = 1,
    last = 0,
    senders = {},
    receivers = {},
    closed = false,
  }
  local handle = setmetatable({}, CHANNEL)
  channels[handle] = channel
  P.opaque[handle] = "channel"
  living[handle] = true
  return handle
end

-- Waiting places hold tasks, or entries of a selecting task. Take the first that still waits.
local function first_waiting(place)
  while #place > 0 do
    local entry = remove(place, 1)
    local choice = entry.choice
    if not choice then
      return entry
    elseif not choice.decided then
      choice.decided = entry
      return entry
    end
  end
end

local function hand_over(entry, value, ok)
  if entry.choice then
    entry.value, entry.ok = value, ok
    S.wake(entry.choice.task)
  else
    S.wake(entry, value, ok)
  end
end

local function sent(entry)
  if entry.choice then
    S.wake(entry.choice.task)
  else
    S.wake(entry)
  end
  return entry.sends
end

local function give(channel, value)
  if channel.closed then
    error(closed_error(channel), 0)
  end
  local receiver = first_waiting(channel.receivers)
  if receiver then
    hand_over(receiver, value, true)
    return true
  end
  if channel.last - channel.first + 1 < channel.capacity then
    channel.last = channel.last + 1
    channel.items[channel.last] = value
    return true
  end
  return false
end

-- Returns whether something could be said, the value, and whether it is one.
local function take(channel)
  if channel.first <= channel.last then
    local value = channel.items[channel.first]
    channel.items[channel.first] = nil
    channel.first = channel.first + 1
    local sender = first_waiting(channel.senders)
    if sender then
      channel.last = channel.last + 1
      channel.items[channel.last] = sent(sender)
    end
    return true, value, true
  end
  local sender = first_waiting(channel.senders)
  if sender then
    return true, sent(sender), true
  end
  if channel.closed then
    return true, nil, false
  end
  return false
end

function methods.send(self, value)
  local channel = channel_of(self, "send")
  local task = P.control.task
  S.check_cancelled(task)
  if not give(channel, value) then
    task.sends = value
    S.park(channel.senders, format("room in %s", channel.name))
    task.sends = nil
  end
end

function methods.try_send(self, value)
  return give(channel_of(self, "try_send"), value)
end

function methods.receive(self, seconds)
  local channel = channel_of(self, "receive")
  if seconds ~= nil then
    P.need("seconds")(seconds, 1, "receive")
  end
  local task = P.control.task
  S.check_cancelled(task)
  local done, value, ok = take(channel)
  if done then
    return value, ok
  end
  if not seconds then
    return S.park(channel.receivers, format("a value from %s", channel.name))
  end
  local timer = P.need("timers").start(seconds, function()
    if X.take_out(channel.receivers, task) then
      local message = format("nothing came from %s within %g s", channel.name, seconds)
      X.wake_with_error(task, S.make_error("timeout", message))
    end
  end)
  local fine, a, b = P.pcall(S.park, channel.receivers, format("a value from %s", channel.name))
  P.timers.stop(timer)
  if not fine then
    error(a, 0)
  end
  return a, b
end

function methods.try_receive(self)
  local done, value, ok = take(channel_of(self, "try_receive"))
  if done then
    return value, ok
  end
  return nil, false
end

function methods.close(self)
  local channel = channel_of(self, "close")
  if channel.closed then
    error(closed_error(channel), 2)
  end
  channel.closed = true
  open_count = open_count - 1
  local entry = first_waiting(channel.receivers)
  while entry do
    hand_over(entry, nil, false)
    entry = first_waiting(channel.receivers)
  end
  entry = first_waiting(channel.senders)
  while entry do
    if entry.choice then
      entry.err = closed_error(channel)
      S.wake(entry.choice.task)
    else
      X.wake_with_error(entry, closed_error(channel))
    end
    entry = first_waiting(channel.senders)
  end
end

function methods.each(self)
  channel_of(self, "each")
  return function()
    local value, ok = methods.receive(self)
    if ok then
      -- A nil that was sent would end a `for`; it arrives as null.
      if value == nil then
        return P.null
      end
      return value
    end
  end
end

function methods.info(self)
  local channel = channel_of(self, "info")
  return {
    id = channel.id,
    name = channel.name,
    capacity = channel.capacity,
    length = channel.last - channel.first + 1,
    closed = channel.closed,
    senders = #channel.senders,
    receivers = #channel.receivers,
  }
end

methods.iterate = methods.each

function M.list()
  local all = P.array()
  for handle in next, living do
    if not channels[handle].closed then
      all[#all + 1] = methods.info(handle)
    end
  end
  table.sort(all, function(a, b)
    return a.id < b.id
  end)
  return all
end

CHANNEL.__index = methods

function CHANNEL.__newindex()
  error("a channel cannot be changed", 2)
end

function CHANNEL.__tostring(self)
  return channel_of(self, "tostring").name
end

P.forgetters[#P.forgetters + 1] = function()
  channels = setmetatable({}, P.weak)
  living = setmetatable({}, P.weak)
  last_id, open_count = 0, 0
end

M.give, M.take = give, take

-- The channel behind a proxy, or nil.
function M.of(handle)
  return channels[handle]
end

return M
