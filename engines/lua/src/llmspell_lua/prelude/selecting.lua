-- `channel.select`.

local P = ...
local S, X, C = P.scheduler, P.stopping, P.channel
local give, take = C.give, C.take
local error, ipairs, next, rawget, type = error, ipairs, next, rawget, type
local format = string.format

local M = {}
local turn = 0

local function try_case(case, at)
  local channel = C.of(case.receive or case.send)
  if case.receive then
    local done, value, ok = take(channel)
    if done then
      return { kind = "receive", index = at, value = value, ok = ok }
    end
  elseif give(channel, case.value) then
    return { kind = "send", index = at, ok = true }
  end
end

function M.select(cases)
  if type(cases) ~= "table" then
    error("bad argument #1 to 'select' (table of cases expected, got " .. type(cases) .. ")", 2)
  end
  local count = #cases
  for at, case in ipairs(cases) do
    if type(case) == "table" and rawget(case, "receive") ~= nil and rawget(case, "send") ~= nil then
      error(format("case %d of 'select' both receives and sends: make it two", at), 2)
    elseif type(case) ~= "table" or not C.of(rawget(case, "receive") or rawget(case, "send")) then
      local given = type(case) == "table" and (rawget(case, "receive") or rawget(case, "send"))
      if P.sharing and P.sharing.is_shared(given) then
        error(format("case %d of 'select' is a shared channel, which only its own functions wait for", at), 2)
      end
      error(format("case %d of 'select' must be {receive = channel} or {send = channel, value = v}", at), 2)
    end
  end
  for key in next, cases do
    if type(key) ~= "number" and key ~= "default" and key ~= "timeout" then
      error("'select' has no option '" .. P.tostring(key) .. "', only 'default' and 'timeout'", 2)
    end
  end
  if cases.timeout ~= nil then
    P.seconds(cases.timeout, 1, "select")
  end
  local task = P.control.task
  S.check_cancelled(task)
  turn = turn + 1
  for step = 0, count - 1 do
    local at = (turn + step) % count + 1
    local outcome = try_case(cases[at], at)
    if outcome then
      return outcome
    end
  end
  if cases.default then
    return { kind = "default", index = 0, ok = false }
  end
  if count == 0 and not cases.timeout then
    S.raise("empty", "select of nothing would never end")
  end
  local choice = { task = task }
  local entries, places = {}, {}
  for at, case in ipairs(cases) do
    local receives = case.receive ~= nil
    local channel = C.of(case.receive or case.send)
    local place = receives and channel.receivers or channel.senders
    local entry = { choice = choice, at = at, kind = receives and "receive" or "send", sends = case.value, ok = true }
    place[#place + 1] = entry
    entries[at], places[at] = entry, place
  end
  -- Whoever ends the waiting by force decides it, so that no channel does.
  task.abandon = function()
    choice.decided = choice.decided or {}
  end
  local timer = cases.timeout
    and P.need("timers").start(cases.timeout, function()
      if not choice.decided then
        choice.decided = { kind = "timeout", at = 0, ok = false }
        S.wake(task)
      end
    end)
  local ok, problem = P.pcall(S.park, nil, format("one of %d channels", count))
  task.abandon = nil
  choice.decided = choice.decided or {}
  if timer then
    P.timers.stop(timer)
  end
  for at = 1, count do
    X.take_out(places[at], entries[at])
  end
  if not ok then
    error(problem, 0)
  end
  local entry = choice.decided
  if entry.err then
    error(entry.err, 0)
  end
  return { kind = entry.kind, index = entry.at, value = entry.value, ok = entry.ok }
end

P.forgetters[#P.forgetters + 1] = function()
  turn = 0
end

return M
