-- Waiting for one of several channels.

local R = ...

local setmetatable = setmetatable
local check_count, check_seconds, check_list = R.check_count, R.check_seconds, R.check_list
local park, wake, coded_error, kind_of = R.park, R.wake, R.coded_error, R.kind_of
local L, MAP = R.L, R.MAP
local passing = R.channel_passing
local give, take, line_up, closed_error = passing.give, passing.take, passing.line_up, passing.closed_error

local turn = 0

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

function R.select_channels(n, cases, options)
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

R.forgetters[#R.forgetters + 1] = function()
  turn = 0
end
