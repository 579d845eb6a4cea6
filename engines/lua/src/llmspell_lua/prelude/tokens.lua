-- Tokens of `async`: one cancellation for many tasks.

local P = ...
local S, X = P.scheduler, P.stopping
local check_function = P.async.check_function
local error, ipairs, setmetatable, type = error, ipairs, setmetatable, type

local M = {}

local TOKEN = { __metatable = false, __name = "token" }
local tokens = setmetatable({}, P.weak)
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

function M.token()
  local handle = setmetatable({}, TOKEN)
  tokens[handle] = { cancelled = false, reactions = {} }
  return handle
end

function M.with_token(handle, f, ...)
  local token = tokens[handle]
  if not token then
    error("bad argument #1 to 'with_token' (token expected, got " .. type(handle) .. ")", 2)
  end
  check_function(f, 2, "with_token")
  local task = S.spawn(nil, nil, f, ...)
  if token.cancelled then
    X.cancel(task, token.reason)
  else
    token.reactions[#token.reactions + 1] = function(reason)
      X.cancel(task, reason)
    end
  end
  return P.need("taskproxy")(task)
end

return M
