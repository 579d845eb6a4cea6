-- `require`, and bridges as modules.

local P = ...
local control, ask = P.control, P.ask
local error, next, rawset, setmetatable, type = error, next, rawset, setmetatable, type
local yieldable = coroutine.isyieldable
local getinfo = debug.getinfo
local gmatch, sub = string.gmatch, string.sub

local loaded = {} -- modules by name

-- Make the module of a bridge. `exports` are names, one a line, those of streams with a star.
local function make_bridge(name, exports)
  local known = {}
  for star, export in gmatch(exports, "(%*?)([^\n]+)") do
    known[export] = star
  end
  local class = { __metatable = false, __name = "bridge " .. name }
  function class.__index(self, key)
    local star, f = known[key], nil
    if not star then
      P.need("unknown", "an unknown name")("the bridge '" .. name .. "'", key, known)
    elseif star == "*" then -- four values, so that leaving a `for` closes the stream
      f = function(...)
        local stream = ask(name, key, ...)
        return stream, nil, nil, stream
      end
    else
      f = function(...)
        return ask(name, key, ...)
      end
    end
    rawset(self, key, f)
    return f
  end
  function class.__pairs(self)
    for key in next, known do
      local _ = self[key]
    end
    return next, self, nil
  end
  return setmetatable({}, class)
end

-- Modules of the language's own, which need no host.
local own = { async = true, promise = true, channel = true }

-- Each run has a table of its own: a script may change it.
local function load_own(name)
  P.need("scheduler", "require of '" .. name .. "'")
  local copy = {}
  for key, v in next, P.need(name) do
    copy[key] = v
  end
  return copy
end

local function load_module(name, importer)
  if own[name] then
    loaded[name] = load_own(name)
    return loaded[name]
  elseif not yieldable() then
    P.refuse("require of '" .. name .. "'")
  end
  local kind, own_name, content = ask("@host", "module", name, importer)
  local module
  if type(kind) == "table" then -- of another language, loaded there
    module = kind.exports
    if module == nil then
      module = true
    end
  else
    module = loaded[own_name]
    if module == nil then
      if kind == "bridge" then
        module = make_bridge(own_name, content)
        loaded[own_name] = module
      else
        module = P.need("sources").run(content, own_name, loaded)
      end
    end
  end
  loaded[name] = module
  return module
end

P.forgetters[#P.forgetters + 1] = function()
  loaded = {}
end

-- Name the file that asks for a module: the caller's, or, if the call was its last and its frame is gone, the one
-- that is being loaded.
local function importer()
  local info = getinfo(3, "S")
  if info and sub(info.source, 1, 1) == "@" then
    return sub(info.source, 2)
  end
  local chain = control.task.chain
  return chain and chain[#chain] or ""
end

local M = {}

function M.require(name)
  if type(name) ~= "string" then
    error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
  end
  local module = loaded[name]
  if module == nil then
    module = load_module(name, importer())
  end
  return module
end

-- Resolve an undeclared global that is a bridge's name.
function M.resolve(env, name)
  local module = loaded[name]
  if module == nil then
    module = load_module(name, "")
  end
  rawset(env, name, module)
  return module
end

function M.loaded()
  return loaded
end

return M
