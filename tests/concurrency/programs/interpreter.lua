-- Runs the program in params: see model.py, which says what must come of it.
local channels = {}
for at, capacity in ipairs(params.channels) do
  channels[at - 1] = channel.new(capacity)
end
local tasks = {}
local BIG = 1000003

local function fail(code)
  error({ code = code, message = "the program says so" }, 0)
end

local function code_of(err)
  return type(err) == "table" and err.code or tostring(err)
end

local function settle(waited, ...)
  local ok, value = pcall(waited, ...)
  return ok and value or code_of(value)
end

local steps = {}

function steps.send(state, at, more)
  channels[at]:send((state.sum + more) % BIG)
end

function steps.receive(state, at)
  local value, ok = channels[at]:receive()
  if ok then
    state.sum = (state.sum * 3 + value) % BIG
    state.log[#state.log + 1] = value
  else
    state.log[#state.log + 1] = "closed"
  end
end

function steps.close(_, at)
  channels[at]:close()
end

steps["yield"] = function()
  async.yield()
end

function steps.await(state, at)
  state.log[#state.log + 1] = settle(function()
    return tasks[at]:await().sum
  end)
end

function steps.child(state, value, fails)
  local task = async.spawn(function()
    async.yield()
    if fails then
      fail("child")
    end
    return value
  end)
  state.log[#state.log + 1] = settle(task.await, task)
end

function steps.scope(state, count, fails)
  state.log[#state.log + 1] = settle(async.scope, function(scope)
    local sum = 0
    for n = 1, count do
      scope:spawn(function()
        for _ = 1, n do
          async.yield()
        end
        if fails and n == count then
          fail("scope")
        end
        sum = sum + n
      end)
    end
    if fails then
      channel.new():receive()
    end
    while sum < count * (count + 1) // 2 do
      async.yield()
    end
    return sum
  end)
end

function steps.race(state, value)
  state.log[#state.log + 1] = async.race({
    function()
      channel.new():receive()
    end,
    function()
      async.yield()
      return value
    end,
  })
end

function steps.map(state, count, most)
  local sum = 0
  local list = {}
  for n = 1, count do
    list[n] = n
  end
  for _, square in ipairs(async.map(list, function(n)
    async.yield()
    return n * n
  end, { concurrency = most })) do
    sum = sum + square
  end
  state.log[#state.log + 1] = sum
end

function steps.buffer(state, capacity, count)
  local own, taken = channel.new(capacity), 0
  for n = 1, count do
    if own:try_send(n) then
      taken = taken + 1
    end
  end
  local got = select(2, own:try_receive())
  local kind = channel.select({ { receive = own }, default = true }).kind
  state.log[#state.log + 1] = taken
  state.log[#state.log + 1] = got
  state.log[#state.log + 1] = kind
end

function steps.scatter(state, count, ways, capacity)
  local lanes, readers, cases = {}, {}, {}
  for lane = 1, ways do
    lanes[lane] = channel.new(capacity)
    readers[lane] = async.spawn(function()
      local sum = 0
      for value in lanes[lane]:each() do
        sum = sum + value
      end
      return sum
    end)
  end
  for n = 1, count do
    for lane = 1, ways do
      cases[lane] = { send = lanes[lane], value = n }
    end
    channel.select(cases)
  end
  for _, lane in ipairs(lanes) do
    lane:close()
  end
  local sum = 0
  for _, part in ipairs(async.all(readers)) do
    sum = sum + part
  end
  state.log[#state.log + 1] = sum
end

function steps.merge(state, list)
  local open, got = {}, {}
  for at, number in ipairs(list) do
    open[at] = { number = number, log = {} }
    got[at] = open[at].log
  end
  while #open > 0 do
    local cases = {}
    for at, entry in ipairs(open) do
      cases[at] = { receive = channels[entry.number] }
    end
    local chosen = channel.select(cases)
    if chosen.ok then
      local log = open[chosen.index].log
      log[#log + 1] = chosen.value
    else
      table.remove(open, chosen.index)
    end
  end
  for _, log in ipairs(got) do
    for _, value in ipairs(log) do
      state.log[#state.log + 1] = value
    end
    state.log[#state.log + 1] = "end"
  end
end

function steps.fail(_, code)
  fail(code)
end

local function work(program, seed)
  local state = { sum = seed, log = {} }
  for _, step in ipairs(program) do
    steps[step[1]](state, table.unpack(step, 2))
  end
  return state
end

local blocked = {
  receive = function() channel.new():receive() end,
  send = function() channel.new():send(1) end,
  select = function() channel.select({ { receive = channel.new() }, { send = channel.new(), value = 1 } }) end,
  sleep = function() async.sleep(1000) end,
  all = function() async.all({ function() async.sleep(1000) end, function() channel.new():receive() end }) end,
  scope = function() async.scope(function(scope) scope:spawn(function() async.sleep(1000) end) end) end,
  timeout = function() async.timeout(1000, function() channel.new():receive() end) end,
}

local victims = {}
for at, kind in ipairs(params.victims) do
  victims[at] = async.spawn(blocked[kind])
end
for at, program in ipairs(params.tasks) do
  tasks[at - 1] = async.spawn(work, program, at)
end
for _ = 1, params.yields do
  async.yield()
end
for _, victim in ipairs(victims) do
  victim:cancel("enough")
end

local out = { tasks = {}, victims = {} }
for at, victim in ipairs(victims) do
  out.victims[at] = settle(victim.await, victim)
end
local started = {}
for at = 1, #params.tasks do
  started[at] = tasks[at - 1]
end
-- Every failure is looked at, so that none fails the run; a deadlock is not a failure of a task.
for at, settled in ipairs(async.all_settled(started)) do
  out.tasks[at] = settled.status == "fulfilled" and { sum = settled.value.sum, log = settled.value.log }
    or { failed = settled.error.code }
end
return out
