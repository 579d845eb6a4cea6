-- `require`.

local P = ...
local control, modules = P.control, P.modules
local error, next, type = error, next, type
local getinfo = debug.getinfo
local sub = string.sub

local R = {}

-- A module of the language's own, which needs no host. Each run has a table of its own: a script may change it.
function R.own(name)
  P.need("scheduler", "require of '" .. name .. "'")
  local copy = {}
  for key, v in next, P.need(name) do
    copy[key] = v
  end
  return copy
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

function R.require(name)
  if type(name) ~= "string" then
    error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
  end
  local module = modules.loaded()[name]
  if module == nil then
    module = modules.load_module(name, importer())
  end
  return module
end

return R
