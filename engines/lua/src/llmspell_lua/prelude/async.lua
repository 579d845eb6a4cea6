-- The module `async`: tasks, combinators, scopes, tokens.

local P = ...
local S = P.need("scheduler")
local control = P.control
local error, ipairs, select, setmetatable, type = error, ipairs, select, setmetatable, type
local pack, unpack = table.pack, table.unpack
local format = string.format

local A = {}

local function check_list(list, name)
  if type(list) ~= "table" or S.future_of(list) then
    error("bad argument #1 to '" .. name .. "' (list expected, got " .. type(list) .. ")", 3)
  end
end

local function check_function(f, at, name)
  if type(f) ~= "function" then
    error(format("bad argument #%d to '%s' (function expected, got %s)", at, name, type(f)), 3)
  end
end

local function check_seconds(seconds, at, name)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error(format("bad argument #%d to '%s' (seconds expected)", at, name), 3)
  end
end

function A.spawn(f, ...)
  check_function(f, 1, "spawn")
  return S.handle(S.spawn(nil, nil, f, ...))
end

function A.current()
  local task = control.task
  return task.future and S.handle(task) or nil
end

function A.await(x, seconds)
  local future = S.future_of(x)
  if not future then
    return x
  end
  if seconds ~= nil then
    check_seconds(seconds, 2, "await")
  end
  return S.wait(future, seconds, future.task and future.task.name or "the promise")
end

function A.sleep(seconds)
  check_seconds(seconds, 1, "sleep")
  return P.ask("@host", "sleep", seconds)
end

A["yield"] = function()
  local task = control.task
  S.check_cancelled(task)
  S.wake(task)
  P.yield_host("its turn")
  S.check_cancelled(task)
end

-- Combinators. Items become futures; functions are spawned, and only those are cancelled here.

local function futures_of(list, name)
  check_list(list, name)
  local futures, own = {}, {}
  for at, item in ipairs(list) do
    local future = S.future_of(item)
    if type(item) == "function" then
      local task = S.spawn(nil, nil, item)
      task.future.handled = true
      own[#own + 1] = task
      future = task.future
    elseif not future then
      future = S.new_future()
      S.fulfil(future, item)
    end
    futures[at] = future
  end
  return futures, own
end

local function cancel_all(own, reason)
  for _, task in ipairs(own) do
    S.cancel(task, reason)
  end
end

-- Wait until `decide(future, at)` says so. If the waiting itself is cancelled, so are the functions spawned for it.
local function collect(futures, own, decide, what)
  local done = S.new_future()
  for at, future in ipairs(futures) do
    S.when_settled(future, function(settled)
      if done.state == "pending" and decide(settled, at) then
        S.fulfil(done)
      end
    end)
  end
  local ok, problem = P.pcall(S.wait, done, nil, what)
  if not ok then
    cancel_all(own, "nobody waits for it any more")
    error(problem, 0)
  end
end

local function first_value(future)
  return future.n > 0 and future.values[1] or nil
end

function A.all(list)
  local futures, own = futures_of(list, "all")
  local left, failed = #futures, nil
  if left == 0 then
    return P.array()
  end
  collect(futures, own, function(future)
    left = left - 1
    if future.state == "rejected" then
      failed = failed or future
    end
    return failed or left == 0
  end, format("all of %d", left))
  if failed then
    cancel_all(own, "another one failed")
    error(failed.err, 0)
  end
  local results = {}
  for at, future in ipairs(futures) do
    results[at] = first_value(future)
  end
  return results
end

local function describe(err)
  if type(err) == "table" then
    return { code = err.code or "error", message = err.message or "an error" }
  end
  return { code = "error", message = P.tostring(err) }
end

function A.all_settled(list)
  local futures, own = futures_of(list, "all_settled")
  local left = #futures
  if left == 0 then
    return P.array()
  end
  collect(futures, own, function()
    left = left - 1
    return left == 0
  end, format("all of %d", left))
  local results = {}
  for at, future in ipairs(futures) do
    if future.state == "fulfilled" then
      results[at] = { status = "fulfilled", value = first_value(future) }
    else
      results[at] = { status = "rejected", error = describe(future.err) }
    end
  end
  return results
end

function A.race(list)
  local futures, own = futures_of(list, "race")
  if #futures == 0 then
    S.raise("empty", "race of nothing would never end")
  end
  local winner
  collect(futures, own, function(future)
    winner = winner or future
    return true
  end, format("the first of %d", #futures))
  cancel_all(own, "another one was first")
  if winner.state == "rejected" then
    error(winner.err, 0)
  end
  return unpack(winner.values, 1, winner.n)
end

function A.any(list)
  local futures, own = futures_of(list, "any")
  local left, winner = #futures, nil
  if left > 0 then
    collect(futures, own, function(future)
      left = left - 1
      if future.state == "fulfilled" then
        winner = winner or future
      end
      return winner or left == 0
    end, format("any of %d", left))
  end
  cancel_all(own, "another one was first")
  if winner then
    return unpack(winner.values, 1, winner.n)
  end
  local errors = P.array()
  for at, future in ipairs(futures) do
    errors[at] = describe(future.err)
  end
  error(S.make_error("all_failed", format("all of %d failed", #futures), { errors = errors }), 0)
end

function A.map(list, f, options)
  check_list(list, "map")
  check_function(f, 2, "map")
  if options ~= nil and type(options) ~= "table" then
    error("bad argument #3 to 'map' (table expected, got " .. type(options) .. ")", 2)
  end
  local most = options and options.concurrency or 10
  if type(most) ~= "number" or most < 1 then
    error("bad argument #3 to 'map' (concurrency must be at least 1)", 2)
  end
  local results, next_at, count = {}, 1, #list
  local workers = {}
  for n = 1, most < count and most or count do
    workers[n] = function()
      while next_at <= count do
        local at = next_at
        next_at = at + 1
        results[at] = f(list[at], at)
      end
    end
  end
  A.all(workers)
  return count == 0 and P.array() or results
end

function A.timeout(seconds, f, ...)
  check_seconds(seconds, 1, "timeout")
  check_function(f, 2, "timeout")
  local task = S.spawn(nil, nil, f, ...)
  local results = pack(P.pcall(S.wait, task.future, seconds, "the function"))
  if not results[1] then
    S.cancel(task, "its time was up")
    error(results[2], 0)
  end
  return unpack(results, 2, results.n)
end

-- Scopes

local SCOPE = { __metatable = false, __name = "scope", __index = {} }
local scopes = setmetatable({}, { __mode = "k" })

function SCOPE.__index.spawn(self, f, ...)
  local scope = scopes[self]
  if not scope then
    error("bad argument #1 to 'spawn' (scope expected, got " .. type(self) .. ")", 2)
  end
  if scope.over then
    S.raise("closed", "the scope has ended")
  end
  check_function(f, 1, "spawn")
  return S.handle(S.spawn(scope, nil, f, ...))
end

local function cancel_scope(scope, reason)
  for task in next, scope.tasks do
    S.cancel(task, reason)
  end
end

function A.scope(f)
  check_function(f, 1, "scope")
  local owner = control.task
  S.check_cancelled(owner)
  local scope = { tasks = {}, count = 0, outer = owner.body }
  function scope.fail(err)
    if not scope.failed then
      scope.failed = true
      scope.err = err
      cancel_scope(scope, "another task of the scope failed")
      if scope.in_body then
        S.interrupt(owner, S.make_error("cancelled", "a task of the scope failed"))
      end
    end
  end
  local handle = setmetatable({}, SCOPE)
  scopes[handle] = scope
  scope.in_body, owner.body = true, scope
  local results = pack(P.pcall(f, handle))
  scope.in_body, owner.body = false, scope.outer
  if not results[1] and not scope.failed then
    scope.failed, scope.err = true, results[2]
    cancel_scope(scope, "the scope failed")
  end
  while scope.count > 0 do
    scope.owner_waits = owner
    function owner.abandon()
      scope.owner_waits = nil
    end
    -- Once the tasks are cancelled they are sure to end.
    local ok, problem = P.pcall(S.park, nil, "the tasks of the scope to end", scope.failed)
    scope.owner_waits, owner.abandon = nil, nil
    if not ok then
      scope.failed, scope.err = true, scope.err or problem
      cancel_scope(scope, "the scope was cancelled")
    end
  end
  scope.over = true
  if scope.failed then
    error(scope.err, 0)
  end
  return unpack(results, 2, results.n)
end

-- Tokens

local TOKEN = { __metatable = false, __name = "token" }
local tokens = setmetatable({}, { __mode = "k" })
local token_methods = {}

function token_methods.cancel(self, reason)
  local token = tokens[self]
  if token.cancelled then
    return false
  end
  token.cancelled, token.reason = true, reason and P.tostring(reason) or "cancelled"
  for _, react in ipairs(token.reactions) do
    react(token.reason)
  end
  token.reactions = {}
  return true
end

function token_methods.on_cancel(self, f)
  check_function(f, 1, "on_cancel")
  local token = tokens[self]
  local function react(reason)
    S.spawn(nil, "a handler of a token", f, reason)
  end
  if token.cancelled then
    react(token.reason)
  else
    token.reactions[#token.reactions + 1] = react
  end
end

function token_methods.check(self)
  local token = tokens[self]
  if token.cancelled then
    S.raise("cancelled", token.reason)
  end
end

function TOKEN.__index(self, key)
  local token = tokens[self]
  if key == "cancelled" or key == "reason" then
    return token[key]
  end
  return token_methods[key]
end

function TOKEN.__newindex()
  error("a token cannot be changed; call its cancel", 2)
end

function A.token()
  local handle = setmetatable({}, TOKEN)
  tokens[handle] = { cancelled = false, reactions = {} }
  return handle
end

function A.with_token(handle, f, ...)
  local token = tokens[handle]
  if not token then
    error("bad argument #1 to 'with_token' (token expected, got " .. type(handle) .. ")", 2)
  end
  check_function(f, 2, "with_token")
  local task = S.spawn(nil, nil, f, ...)
  if token.cancelled then
    S.cancel(task, token.reason)
  else
    token.reactions[#token.reactions + 1] = function(reason)
      S.cancel(task, reason)
    end
  end
  return S.handle(task)
end

return A
