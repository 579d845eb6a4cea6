-- The module `promise`: futures with handlers.

local P = ...
local S, A, R = P.scheduler, P.async, P.rejecting
local error, setmetatable, type = error, setmetatable, type
local pack, unpack = table.pack, table.unpack

local M = {}
local PROMISE = { __metatable = false, __name = "promise" }
local methods = {}

local function proxy(future)
  local handle = setmetatable({}, PROMISE)
  P.opaque[handle] = "promise"
  S.future_by_proxy[handle] = future
  return handle
end

local function future_of(handle, name)
  local future = S.future_of(handle)
  if not future then
    error("bad argument #1 to '" .. name .. "' (promise expected, got " .. type(handle) .. ")", 3)
  end
  return future
end

-- Settle `future` as `value` is: if that is itself a promise or task, when it is settled.
local function resolve(future, value, ...)
  local other = S.future_of(value)
  if other == future then
    R.reject(future, S.make_error("cycle", "a promise cannot be resolved with itself"))
  elseif other then
    S.when_settled(other, function(settled)
      if settled.state == "fulfilled" then
        S.fulfil(future, unpack(settled.values, 1, settled.n))
      else
        R.reject(future, settled.err, settled.frames)
      end
    end)
  else
    S.fulfil(future, value, ...)
  end
end

function M.new(executor)
  if type(executor) ~= "function" then
    error("bad argument #1 to 'new' (function expected, got " .. type(executor) .. ")", 2)
  end
  local future = S.new_future()
  local decided = false
  local function once(settle)
    return function(...)
      if not decided then
        decided = true
        settle(future, ...)
      end
    end
  end
  local ok, problem = P.pcall(executor, once(resolve), once(R.reject))
  if not ok and not decided then
    decided = true
    R.reject(future, problem)
  end
  return proxy(future)
end

function M.resolve(value)
  local future = S.future_of(value)
  if future and not future.task then
    return value
  end
  future = S.new_future()
  resolve(future, value)
  return proxy(future)
end

function M.reject(err)
  local future = S.new_future()
  R.reject(future, err)
  return proxy(future)
end

-- Run a handler as a task of its own, and settle `future` with what comes of it.
local function react(future, handler, ...)
  local task = S.spawn(nil, "a handler of a promise", handler, ...)
  S.when_settled(task.future, function(settled)
    if settled.state == "fulfilled" then
      resolve(future, unpack(settled.values, 1, settled.n))
    else
      R.reject(future, settled.err, settled.frames)
    end
  end)
end

local function check_handler(f, name)
  if f ~= nil and type(f) ~= "function" then
    error("bad argument to '" .. name .. "' (function expected, got " .. type(f) .. ")", 3)
  end
end

function methods.and_then(self, on_value, on_error)
  check_handler(on_value, "and_then")
  check_handler(on_error, "and_then")
  local future = S.new_future()
  S.when_settled(future_of(self, "and_then"), function(settled)
    if settled.state == "fulfilled" then
      if on_value then
        react(future, on_value, unpack(settled.values, 1, settled.n))
      else
        S.fulfil(future, unpack(settled.values, 1, settled.n))
      end
    elseif on_error then
      react(future, on_error, settled.err)
    else
      R.reject(future, settled.err, settled.frames)
    end
  end)
  return proxy(future)
end

function methods.on_error(self, handler)
  return methods.and_then(self, nil, handler)
end

function methods.on_finally(self, handler)
  if type(handler) ~= "function" then
    error("bad argument #1 to 'on_finally' (function expected, got " .. type(handler) .. ")", 2)
  end
  local future = S.new_future()
  S.when_settled(future_of(self, "on_finally"), function(settled)
    local task = S.spawn(nil, "a handler of a promise", handler)
    S.when_settled(task.future, function(cleaned)
      if cleaned.state == "rejected" then
        R.reject(future, cleaned.err, cleaned.frames)
      elseif settled.state == "fulfilled" then
        S.fulfil(future, unpack(settled.values, 1, settled.n))
      else
        R.reject(future, settled.err, settled.frames)
      end
    end)
  end)
  return proxy(future)
end

function methods.await(self, seconds)
  if seconds ~= nil then
    P.seconds(seconds, 1, "await")
  end
  return S.wait(future_of(self, "await"), seconds, "the promise")
end

methods.next, methods.andThen = methods.and_then, methods.and_then
methods.catch, methods.onError = methods.on_error, methods.on_error
methods.finally, methods.onFinally = methods.on_finally, methods.on_finally

function PROMISE.__index(self, key)
  if key == "status" then
    return future_of(self, "status").state
  end
  return methods[key]
end

function PROMISE.__newindex()
  error("a promise cannot be changed", 2)
end

function PROMISE.__tostring(self)
  return "promise: " .. future_of(self, "tostring").state
end

-- Combinators and helpers that return promises: those of `async`, run as tasks.

local function promised(f, ...)
  local future = S.new_future()
  react(future, f, ...)
  return proxy(future)
end

local function combinator(part, name)
  return function(list)
    if type(list) ~= "table" then
      error("bad argument #1 to '" .. name .. "' (list expected, got " .. type(list) .. ")", 2)
    end
    return promised(P.need(part, "promise." .. name)[name], list)
  end
end

M.all = combinator("gathering", "all")
M.all_settled = combinator("combining", "all_settled")
M.race = combinator("combining", "race")
M.any = combinator("combining", "any")
M.allSettled = M.all_settled

function M.async(f)
  if type(f) ~= "function" then
    error("bad argument #1 to 'async' (function expected, got " .. type(f) .. ")", 2)
  end
  return function(...)
    return promised(f, ...)
  end
end

function M.await(value, seconds)
  return A.await(value, seconds)
end

function M.sleep(seconds)
  return promised(A.sleep, seconds)
end

-- A promise of what a function, promise or task gives within some seconds.
function M.timeout(seconds, x)
  P.seconds(seconds, 1, "timeout")
  if type(x) == "function" then
    return promised(P.need("combining", "promise.timeout").timeout, seconds, x)
  end
  return promised(A.await, x, seconds)
end

function M.spawn(f, ...)
  if type(f) ~= "function" then
    error("bad argument #1 to 'spawn' (function expected, got " .. type(f) .. ")", 2)
  end
  local args = pack(...)
  return promised(function()
    return f(unpack(args, 1, args.n))
  end)
end

return M
