-- Host objects as scripts hold them: proxies without fields, whose methods are host calls.

local P = ...
local handles, ask, control = P.handles, P.ask, P.control
local error, setmetatable, type = error, setmetatable, type
local concat = table.concat
local CALL <const> = 1

local classes = {} -- by description
local proxies = setmetatable({}, { __mode = "v" }) -- by id

-- Return whether a stream has ended, else its next item. What was taken at once waits with its handle.
local function draw(self, takes)
  local handle = handles[self]
  if not takes then
    local step = ask(handle.id, "next")
    return step[1], step[2]
  end
  local taken, at = handle.taken, handle.at
  while not taken or at > taken[2] do
    if taken and taken[1] then
      return true
    end
    taken, at = ask(handle.id, "take"), 1
    handle.taken = taken
  end
  handle.at = at + 1
  return false, taken[at + 2]
end

local function make_class(name, methods, kind)
  local known, members = {}, {}
  for i = 1, #methods do
    known[methods[i][1]] = true
  end
  local takes = kind == "stream" and known.take
  if takes then
    -- What waits here comes before what waits at the host.
    known.take = nil
  end
  local class = { __metatable = false, __name = name }
  function class.__index(_, key)
    local f = members[key]
    if not f then
      if not known[key] then
        P.need("unknown", "an unknown name")("the object '" .. name .. "'", key, known)
      end
      f = function(self, ...)
        local handle = type(self) == "table" and handles[self]
        if not handle then
          error("write a colon to call a method: object:" .. key .. "(...)", 2)
        end
        if takes then
          if key == "next" then
            return { draw(self, takes) }
          end
          handle.taken = nil
        end
        return ask(handle.id, key, ...)
      end
      members[key] = f
    end
    return f
  end
  function class.__newindex()
    error("the fields of a host object cannot be set", 2)
  end
  function class.__tostring(self)
    return name .. " (host object " .. handles[self].id .. ")"
  end
  if kind == "stream" then
    function class.__call(self)
      local ended, item = draw(self, takes)
      if not ended then
        return item
      end
      return nil
    end
  end
  if known.close then
    function class.__close(self)
      local id, scheduler = handles[self].id, P.scheduler
      handles[self].taken = nil
      if scheduler and not P.pcall(scheduler.check_cancelled, control.task) then
        -- The task may wait for nothing any more; what it leaves is closed all the same.
        control.calls = control.calls + 1
        P.say({ CALL, control.calls, id, "close", 0, false, n = 6 })
        return
      end
      return ask(id, "close")
    end
  end
  return class
end

P.forgetters[#P.forgetters + 1] = function()
  classes, proxies = {}, setmetatable({}, { __mode = "v" })
end

-- Make the proxy of a handle; `payload` is how it crosses back. The same handle is always the same proxy.
return function(fields, payload)
  local id, name, methods, kind = fields[1], fields[2], fields[3], fields[4]
  local proxy = proxies[id]
  if proxy then
    return proxy
  end
  if kind == "function" then
    proxy = function(...)
      return ask(id, "call", ...)
    end
  else
    local parts = { name, kind }
    for i = 1, #methods do
      parts[i + 2] = methods[i][1]
    end
    local description = concat(parts, "\0")
    local class = classes[description]
    if not class then
      class = make_class(name, methods, kind)
      classes[description] = class
    end
    proxy = setmetatable({}, class)
  end
  proxies[id] = proxy
  handles[proxy] = { id = id, payload = payload, kind = kind }
  return proxy
end
