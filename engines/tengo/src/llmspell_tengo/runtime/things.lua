-- Objects, streams and functions of the host, and what is seldom asked of its modules.

local R = ...

local type, next, getmetatable, setmetatable = type, next, getmetatable, setmetatable
local concat = table.concat
local names, handles = R.names, R.host_handles
local TARGET = R.TARGET

-- what a thing has no member for
function R.missing_member(thing, key)
  local mt = getmetatable(thing)
  if key == R.OWN or key == "__module_name__" then
    return nil
  elseif key == nil then
    R.invalid_index(key)
  elseif type(key) ~= "string" then
    key = R.shown(key)
    if mt.known[key] then
      return mt.thing(thing, key)
    end
  end
  local list, count = {}, 0
  for name in next, mt.known do
    list[count] = name
    count = count + 1
  end
  R.fail(R.internal("unknown_member", mt.what, key, R.list(count, list)))
end

-- a thing as a map of all its functions
function R.members_of(thing)
  local mt = getmetatable(thing)
  local members = {}
  for name in next, mt.known do
    members[name] = mt.thing(thing, name)
  end
  return setmetatable(members, R.MAP)
end

function R.value_module(name, packed)
  local module = R.decoded_value(packed)
  if R.kind_of(module) == "map" then
    module.__module_name__ = name
    module = R.immutable(module)
  end
  return module
end

local types = {} -- by description
local taken = {} -- by id: what was taken at once from a stream that runs ahead, and the next one's index

-- Return whether a stream has ended, and its next item; or nil and a failure of the host.
function R.draw(stream)
  local mt, target = getmetatable(stream), stream[TARGET]
  if not mt.takes then
    local answer = R.ask(target, "next", 0)
    if R.kind_of(answer) == "error" then
      return nil, answer
    end
    return answer[0], answer[1]
  end
  local waiting = taken[target]
  while not waiting or waiting.at > waiting.count do
    if waiting and waiting.ended then
      return true
    end
    local answer = R.ask(target, "take", 0)
    if R.kind_of(answer) == "error" then
      return nil, answer
    end
    waiting = { items = answer, at = 1, count = answer[1], ended = answer[0] }
    taken[target] = waiting
  end
  local at = waiting.at
  waiting.at = at + 1
  return false, waiting.items[at + 1]
end

-- whether items of a stream wait here, which nobody who is given the stream could draw
function R.is_half_read(thing)
  local waiting = taken[thing[TARGET]]
  return waiting and waiting.at <= waiting.count
end

function R.close_stream(target)
  taken[target] = nil
  return R.ask(target, "close", 0)
end

-- the methods of a stream that runs ahead: what waits here comes before what waits at the host
local own = {}

function own.next(stream)
  return function()
    local ended, item = R.draw(stream)
    if ended == nil then
      return item
    end
    return R.list(2, { [0] = ended, item })
  end
end

function own.close(stream)
  local target = stream[TARGET]
  return function()
    return R.close_stream(target)
  end
end

local things = setmetatable({}, { __mode = "v" }) -- by id

-- fields: id, type, list of methods (each a list of name and whether it is async), kind; payload: how it crosses back
function R.host_thing(fields, payload)
  local id, what, methods, kind = fields[0], fields[1], fields[2], fields[3]
  local made = things[id]
  if made then
    return made
  end
  if kind == "function" then
    made = function(n, ...)
      return R.ask(id, "call", n, ...)
    end
    names[made] = "user-function:" .. what
  else
    local known, list = {}, { what, kind }
    for index = 0, methods[R.L] - 1 do
      local name = methods[index][0]
      known[name], list[index + 3] = true, name
    end
    local takes = kind == "stream" and known.take
    if takes then
      known.take = nil
    end
    local description = concat(list, "\0")
    local mt = types[description]
    if not mt then
      mt = R.thing_type("the object '" .. what .. "'", known)
      mt.is_stream, mt.takes = kind == "stream", takes
      mt.own = takes and own
      types[description] = mt
    end
    made = R.new_thing(mt, id)
  end
  things[id], handles[made] = made, payload
  return made
end

-- the id of an object of the host, or nil
function R.target_of(v)
  local mt = type(v) == "table" and getmetatable(v)
  return mt and mt.thing and v[TARGET] or nil
end

R.forgetters[#R.forgetters + 1] = function()
  types, taken, things = {}, {}, setmetatable({}, { __mode = "v" })
end
