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
    local description = concat(list, "\0")
    local mt = types[description]
    if not mt then
      mt = R.thing_type("the object '" .. what .. "'", known)
      mt.is_stream = kind == "stream"
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
  types, things = {}, setmetatable({}, { __mode = "v" })
end
