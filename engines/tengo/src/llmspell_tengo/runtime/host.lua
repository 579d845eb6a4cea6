-- What the host is to a script: bridges, live objects, failures.

local R = ...

local type, next, error, getmetatable, setmetatable = type, next, error, getmetatable, setmetatable
local gmatch, concat, unpack = string.gmatch, table.concat, table.unpack
local names, handles = R.names, R.host_handles

-- Failures that are the script's own mistake end it; the others are error values it can test for.
local mistakes = {
  invalid_argument = true,
  denied = true,
  conversion = true,
  unknown_method = true,
  unknown_handle = true,
  module_not_found = true,
  bridge_not_found = true,
}

function R.fault(call, code, message, details)
  if mistakes[code] then
    error("\1f\1" .. call .. "\1" .. code .. "\1" .. message, 0)
  end
  local value = { code = code, message = message }
  if details then
    value.details = R.decoded_value(details)
  end
  return R.error_value(setmetatable(value, R.MAP))
end

-- Things of the host look like immutable maps of functions. The functions are made when they are asked for.

local TARGET, MEMBERS = {}, {}

local function member(thing, name)
  local members = thing[MEMBERS]
  local f = members[name]
  if not f then
    local target = thing[TARGET]
    f = function(n, ...)
      return R.ask(target, name, n, ...)
    end
    names[f] = "user-function:" .. name
    members[name] = f
  end
  return f
end

-- what: how messages call such a thing; methods: a list
local function class(what, methods)
  local known = {}
  for index = 1, #methods do
    known[methods[index]] = true
  end
  local mt = R.install({ kind = "immutable-map", shape = "thing", immutable = true }, function(thing, key)
    if type(key) ~= "string" then
      if key == R.OWN then
        return nil
      elseif key == nil then
        R.invalid_index(key)
      end
      key = R.shown(key)
    end
    if known[key] then
      return member(thing, key)
    elseif key == "__module_name__" then
      return nil
    end
    R.fail(R.internal("unknown_member", what, key, R.list(#methods, { [0] = methods[1], unpack(methods, 2) })))
  end, R.not_assignable, R.not_callable)
  function mt.members(thing)
    for name in next, known do
      member(thing, name)
    end
    return setmetatable(thing[MEMBERS], R.MAP)
  end
  function mt.length()
    return #methods
  end
  function mt.truth()
    return #methods > 0
  end
  function mt.__eq(a, b)
    return false -- one thing is one proxy
  end
  mt.equal = mt.__eq
  return mt
end

local function thing(mt, target)
  return setmetatable({ [TARGET] = target, [MEMBERS] = {} }, mt)
end

-- Modules

local modules, packed_modules = {}, {}

-- exports: names, one on each line
function R.bridge_module(name, exports)
  local methods = {}
  for export in gmatch(exports, "[^\n]+") do
    methods[#methods + 1] = export
  end
  return thing(class("the bridge '" .. name .. "'", methods), name)
end

-- a module that consists of values, packed until it is imported
function R.driver.define_values(name, packed)
  packed_modules[name] = packed
end

function R.host_module(name)
  local module = modules[name]
  if not module then
    local packed = packed_modules[name]
    if packed then
      module = R.decoded_value(packed)
      if R.kind_of(module) == "map" then
        module.__module_name__ = name
        module = R.immutable(module)
      end
    else
      module = R.ask("@host", "module", 2, name, "")
    end
    modules[name] = module
  end
  return module
end

-- Objects, streams and functions

local classes = {} -- by description
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
    local list = {}
    for index = 0, methods[R.L] - 1 do
      list[index + 1] = methods[index][0]
    end
    local description = what .. "\0" .. kind .. "\0" .. concat(list, "\0")
    local mt = classes[description]
    if not mt then
      mt = class("the object '" .. what .. "'", list)
      mt.stream = kind == "stream"
      classes[description] = mt
    end
    made = thing(mt, id)
  end
  things[id], handles[made] = made, payload
  return made
end

function R.target_of(v)
  local mt = type(v) == "table" and getmetatable(v)
  return mt and mt.members and v[TARGET] or nil
end

function R.unusual_answer(_, name, exports)
  return R.bridge_module(name, exports)
end

R.forgetters[#R.forgetters + 1] = function()
  modules, packed_modules, classes = {}, {}, {}
  things = setmetatable({}, { __mode = "v" })
end
