-- Channels between the runs of a session, which live in the host.

local R = ...

local next = next
local check_count, check_function, check_seconds = R.check_count, R.check_function, R.check_seconds
local coded_error, kind_of = R.coded_error, R.kind_of
local received, each = R.channel_passing.received, R.channel_passing.each

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

function R.shared_channel(name, capacity)
  local host = R.ask("@host", "shared_channel", 2, name, capacity)
  if kind_of(host) == "error" then
    return host
  end
  return as_shared({ target = R.target_of(host), host = host })
end

function R.each_of_shared(shared, f)
  return shared_methods.each(shared, 1, f)
end
