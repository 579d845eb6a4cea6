-- Modules that are source files of the spell.

local P = ...
local control, make_ready = P.control, P.make_ready
local HOST = P.HOST
local WAIT <const> = 6
local setmetatable = setmetatable
local yield = coroutine.yield
local concat = table.concat
local setupvalue = debug.setupvalue

local loading = {} -- by name: tasks that wait for the one that loads it

local function refuse_circle(chain, name)
  for i = 1, #chain do
    if chain[i] == name then
      local message = "modules require each other in a circle: " .. concat(chain, " -> ", i) .. " -> " .. name
      P.need("errors", "an error of the host").fail("circular_module", message)
    end
  end
end

P.forgetters[#P.forgetters + 1] = function()
  loading = {}
end

-- However the run of a chunk ends, whoever waits for it goes on. It is not called protected: the stack of an error in
-- it is that of the script.
local RUNNING = {
  __close = function(run)
    local chain, waiters = run.chain, run.waiters
    chain[#chain] = nil
    loading[run.name] = nil
    for i = 1, #waiters do
      make_ready(waiters[i])
    end
  end,
}

local S = {}

-- Run a module's chunk, once for all tasks, and enter it into `loaded`.
function S.run(chunk, name, loaded)
  local task = control.task
  local chain = task.chain or {}
  task.chain = chain
  refuse_circle(chain, name)
  while loading[name] do -- by another task
    yield(HOST, { WAIT, loading[name], n = 2 })
    if control.dead then
      P.rethrow()
    end
  end
  if loaded[name] ~= nil then
    return loaded[name]
  end
  local waiters <const> = {}
  loading[name] = waiters
  chain[#chain + 1] = name
  local _ <close> = setmetatable({ name = name, chain = chain, waiters = waiters }, RUNNING)
  local v = chunk(name)
  if v == nil then
    v = true
  end
  loaded[name] = v
  return v
end

local function run_load(task)
  local loaded = P.modules.loaded()
  local module = loaded[task.name]
  if module == nil then
    module = S.run(task.chunk, task.name, loaded)
  end
  return P.seal(task, module)
end

local LOADED = { run = run_load }

-- Run a module for guests of other languages, for which the files of the chain wait.
function S.load(id, name, chunk, ...)
  return P.begin({ id = id, kind = LOADED, name = name, chunk = chunk, chain = { ... } })
end

-- Be ready to serve guests of other languages, without a main chunk.
function S.idle(seed)
  math.randomseed(seed)
  P.queue.env = P.new_environment()
end

-- Give a module's chunk, loaded for this run, the run's globals.
function S.adopt(chunk)
  setupvalue(chunk, 1, P.queue.env)
  return chunk
end

return S
