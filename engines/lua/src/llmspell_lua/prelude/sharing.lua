-- `channel.shared`: channels of the session, which live in the host.

local P = ...
local S = P.scheduler
local format = string.format
local error, ipairs, setmetatable, type = error, ipairs, setmetatable, type

local M = {}

local SHARED = { __metatable = false, __name = "shared channel" }
local shared = setmetatable({}, P.weak)
local shared_methods = {}

local function pair(answer)
  local value = answer[1]
  if value == P.null then
    value = nil
  end
  return value, answer[2]
end

for _, name in ipairs({ "send", "try_send", "close", "info" }) do
  shared_methods[name] = function(self, ...)
    local host = shared[self]
    return host[name](host, ...)
  end
end

function shared_methods.receive(self, seconds)
  local host = shared[self]
  if seconds ~= nil then
    P.need("seconds")(seconds, 1, "receive")
    local ok, answer = P.pcall(P.need("combining").timeout, seconds, host.receive, host)
    if not ok and type(answer) == "table" and answer.code == "timeout" then
      S.raise("timeout", format("nothing came within %g s", seconds))
    elseif not ok then
      error(answer, 0)
    end
    return pair(answer)
  end
  return pair(host:receive())
end

function shared_methods.try_receive(self)
  local host = shared[self]
  return pair(host:try_receive())
end

function shared_methods.each(self)
  return function()
    local value, ok = shared_methods.receive(self)
    if ok then
      return value == nil and P.null or value
    end
  end
end

SHARED.__index = shared_methods

function M.shared(name, capacity)
  if type(name) ~= "string" then
    error("bad argument #1 to 'shared' (string expected, got " .. type(name) .. ")", 2)
  end
  local handle = setmetatable({}, SHARED)
  P.opaque[handle] = "channel"
  shared[handle] = P.ask("@host", "shared_channel", name, capacity or 0)
  return handle
end

function M.is_shared(handle)
  return shared[handle] ~= nil
end

P.forgetters[#P.forgetters + 1] = function()
  shared = setmetatable({}, P.weak)
end

return M
