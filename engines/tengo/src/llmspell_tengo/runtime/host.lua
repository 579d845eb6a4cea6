-- The modules of the host.

local R = ...

local type, getmetatable, setmetatable = type, getmetatable, setmetatable
local gmatch = string.gmatch
local names = R.names

-- Things of the host look like immutable maps of functions. The functions are made when they are asked for.

local TARGET, MEMBERS = {}, {}
R.TARGET = TARGET

local function member(thing, name)
  local members = thing[MEMBERS]
  local f = members[name]
  if not f then
    local target, own = thing[TARGET], getmetatable(thing).own
    f = own and own[name] and own[name](thing)
      or function(n, ...)
        return R.ask(target, name, n, ...)
      end
    names[f] = "user-function:" .. name
    members[name] = f
  end
  return f
end

local function index(thing, key)
  if type(key) == "string" and getmetatable(thing).known[key] then
    return member(thing, key)
  end
  return R.missing_member(thing, key)
end

-- what: how messages call such a thing; known: its methods, a set
function R.thing_type(what, known)
  return R.install(
    { kind = "immutable-map", shape = "thing", immutable = true, thing = member, what = what, known = known },
    index,
    R.not_assignable,
    R.not_callable
  )
end

function R.new_thing(mt, target)
  return setmetatable({ [TARGET] = target, [MEMBERS] = {} }, mt)
end

local modules, packed_modules = {}, {}

-- a module that consists of values, packed until it is imported
function R.driver.define_values(name, packed)
  packed_modules[name] = packed
end

function R.host_module(name)
  local module = modules[name]
  if not module then
    local packed = packed_modules[name]
    if packed then
      module = R.value_module(name, packed)
    else
      module = R.ask("@host", "module", 2, name, "")
    end
    modules[name] = module
  end
  return module
end

-- the answer that describes a bridge: exports are names, one on each line
function R.unusual_answer(_, name, exports)
  local known = {}
  for export in gmatch(exports, "[^\n]+") do
    known[export] = true
  end
  if name == "os" then -- Tengo knows that module in a form of its own
    return R.os_module(known)
  end
  return R.new_thing(R.thing_type("the bridge '" .. name .. "'", known), name)
end

R.forgetters[#R.forgetters + 1] = function()
  modules, packed_modules = {}, {}
end
