-- Bridges as modules, and the finding of modules.

local P = ...
local ask = P.ask
local next, rawset, setmetatable, type = next, rawset, setmetatable, type
local yieldable = coroutine.isyieldable
local find, gmatch = string.find, string.gmatch

-- Modules of the language's own, which need no host: the parts of the prelude that bring their functions.
local own = {
  async = "async=await,current,sleep,spawn,yield; gathering=all; combining=all_settled,any,map,race,timeout; "
    .. "scopes=scope; tokens=token,with_token;",
  channel = "channel=list,new; selecting=select; sharing=shared;",
  promise = "promise=all,allSettled,all_settled,any,async,await,new,race,reject,resolve,sleep,spawn,timeout;",
}

local loaded = {} -- modules by name

-- Make all functions of a module that an iterator names, and what `pairs` goes through.
local function all_of(self, each, known)
  for key in each, known do
    local _ = self[key]
  end
  return next, self, nil
end

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
      P.calls[f] = { name, key }
    end
    rawset(self, key, f)
    return f
  end
  function class.__pairs(self)
    return all_of(self, next, known)
  end
  return setmetatable({}, class)
end

-- Make a module of the language's own. Each run has one of its own: a script may change it. A part is loaded when one
-- of its functions is first asked for.
local function make_own(name)
  local class = { __metatable = false, __name = "module " .. name }
  function class.__index(self, key)
    for part, names in gmatch(own[name], "(%a+)=([^;]+)") do
      if type(key) == "string" and find("," .. names .. ",", "," .. key .. ",", 1, true) then
        local f = P.need(part, name .. "." .. key)[key]
        rawset(self, key, f)
        return f
      end
    end
  end
  function class.__pairs(self)
    return all_of(self, gmatch(own[name], "([%a_]+)[,;]"))
  end
  return setmetatable({}, class)
end

local function load_module(name, importer)
  if own[name] then
    loaded[name] = make_own(name)
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

local M = {}

M.load_module = load_module

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
