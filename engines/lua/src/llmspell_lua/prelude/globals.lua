-- The globals of a run: a fresh table each, with copies of the libraries made when they are first used. No script
-- ever sees the real _G, nor a library's own table.

local P = ...
local control, tell, need = P.control, P.tell, P.need
local error, next, rawget, rawset, select, setmetatable, tostring, type =
  error, next, rawget, rawset, select, setmetatable, tostring, type
local concat = table.concat
local find, gmatch, match = string.find, string.gmatch, string.match
local getmt, setmt = debug.getmetatable, debug.setmetatable
local EMIT <const> = 2

-- A light userdata: unique, without fields, the same for every run.
local null = debug.upvalueid(function()
  return P
end, 1)
setmt(null, {
  __metatable = false,
  __name = "null",
  __tostring = function()
    return "null"
  end,
})

local ARRAY = { __metatable = false, __name = "array" }

local string_metatable = getmt("")
string_metatable.__metatable = false

-- Like the C function, but what a __tostring does may be suspended.
local function to_string(v)
  local mt = type(v) == "table" and getmt(v)
  local shown = mt and rawget(mt, "__tostring")
  if not shown then
    return tostring(v)
  end
  shown = shown(v)
  if type(shown) ~= "string" and type(shown) ~= "number" then
    error("'__tostring' must return a string", 2)
  end
  return tostring(shown)
end

local function s_print(...)
  local parts = { ... }
  for i = 1, select("#", ...) do
    parts[i] = to_string(parts[i])
  end
  tell({ EMIT, "output", concat(parts, "\t") .. "\n", n = 3 })
end

local function s_setmetatable(t, mt)
  if type(t) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. type(t) .. ")", 2)
  elseif type(mt) == "table" and rawget(mt, "__gc") ~= nil then
    error("__gc is not available: a finalizer could not be stopped", 2)
  end
  return setmetatable(t, mt)
end

local function array(t)
  if t == nil then
    t = {}
  elseif type(t) ~= "table" then
    error("bad argument #1 to 'array' (table expected, got " .. type(t) .. ")", 2)
  end
  return setmetatable(t, ARRAY)
end

-- Functions that a part of the prelude replaces, by library: the part, and their names.
local guarded = {
  io = "system: write",
  os = "system: exit",
  coroutine = "coroutines: close create isyieldable resume running status wrap yield",
  string = "strings: find gmatch gsub match rep",
  table = "tables: concat insert move remove sort",
}

local originals = { coroutine = coroutine, math = math, string = string, table = table, utf8 = utf8 }
originals.os = { clock = os.clock, date = os.date, difftime = os.difftime, time = os.time }
originals.io = {}

-- A function of a part that is loaded when it is called.
local function stub(part, name)
  return function(...)
    local found = P[part] or need(part, name or part)
    if name then
      return found[name](...)
    end
    return found(...)
  end
end

local function library(name)
  local copy = {}
  for key, f in next, originals[name] do
    copy[key] = f
  end
  if guarded[name] then
    local part, names = match(guarded[name], "(%a+):(.*)")
    for guard in gmatch(names, "%a+") do
      copy[guard] = P[part] and P[part][guard] or stub(part, guard)
    end
    copy.dump = nil
  end
  return copy
end

local s_load, s_require, s_xpcall

-- Make what an undeclared global stands for: a library, or a bridge.
local function resolve(env, name)
  if originals[name] then
    local made = library(name)
    rawset(env, name, made)
    if name == "string" then
      string_metatable.__index = made
    end
    return made
  end
  if
    type(name) == "string" and find(P.bridges, "\n" .. name .. "\n", 1, true)
    or name == "async"
    or name == "promise"
    or name == "channel"
  then
    return need("modules", "require").resolve(env, name)
  end
end

local function show_all(env)
  for name in next, originals do
    local _ = env[name]
  end
  return next, env, nil
end

local globals = { __metatable = false, __index = resolve, __pairs = show_all }

function P.new_environment()
  local env = {
    _VERSION = _VERSION,
    array = array,
    assert = assert,
    error = error,
    getmetatable = getmetatable,
    ipairs = ipairs,
    load = s_load,
    next = next,
    null = null,
    pairs = pairs,
    pcall = P.pcall,
    print = s_print,
    rawequal = rawequal,
    rawget = rawget,
    rawlen = rawlen,
    rawset = rawset,
    require = s_require,
    select = select,
    setmetatable = s_setmetatable,
    tonumber = tonumber,
    tostring = to_string,
    type = type,
    xpcall = s_xpcall,
  }
  env._G = env
  -- Methods of strings are those of the run's own table, so that a script can add some.
  function string_metatable.__index(_, name)
    return env.string[name]
  end
  return setmetatable(env, globals)
end

P.forgetters[#P.forgetters + 1] = function()
  string_metatable.__index = nil
end

s_xpcall = stub("handling")
s_load = stub("loader") -- a function, not a table of them
s_require = function(name)
  return need("requiring", "require").require(name)
end

P.null, P.ARRAY, P.array, P.tostring = null, ARRAY, array, to_string
P.bridges = "" -- names, each between line ends
P.handles = setmetatable({}, P.weak) -- proxies of host objects -> {id, payload, kind}
P.opaque = setmetatable({}, P.weak) -- proxies of tasks, promises, channels -> what they are
P.limits = { depth = 64, nodes = 1000000, bytes = 64 << 20, string = 1 << 28, tasks = 10000, channels = 10000 }

-- What neither scripts nor the prelude need. Thousands of states may wait at once: what can go is let go.
local registry, d = debug.getregistry(), debug
registry._IO_input, registry._IO_output, registry._CLIBS, registry._PRELOAD = nil
local loaded = package.loaded
loaded.io, loaded.os, loaded.package, loaded.python, loaded.debug = nil
debug = {
  getinfo = d.getinfo,
  getlocal = d.getlocal,
  getmetatable = d.getmetatable,
  sethook = d.sethook,
  setmetatable = d.setmetatable,
  setupvalue = d.setupvalue,
  traceback = d.traceback, -- the binding calls it
  upvaluejoin = d.upvaluejoin,
}
io = nil
collectgarbage() -- finalizers of files look for their class
registry["FILE*"] = nil
os, package, require, dofile, loadfile, collectgarbage, warn, print, python = nil
-- A table is only measured anew when there is no room in it.
for _, lightened in ipairs({ _G, registry, loaded }) do
  for at = 1, 64 do
    lightened[-at] = true
    lightened[-at] = nil
  end
end
