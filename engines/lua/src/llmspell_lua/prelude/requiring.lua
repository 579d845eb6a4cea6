-- `require`.

local P = ...
local control, modules = P.control, P.modules
local error, type = error, type
local getinfo = debug.getinfo
local sub = string.sub

local R = {}

local MAX_LEVELS <const> = 8

-- Name the file that asks for a module: the caller's, by `pcall` perhaps, or, if the call was its last and its frame is
-- gone, the one that is being loaded.
local function importer()
  for level = 3, MAX_LEVELS do
    local info = getinfo(level, "S")
    if info and sub(info.source, 1, 1) == "@" then
      return sub(info.source, 2)
    elseif not info or (level == 3 and info.what ~= "C") then
      break
    end
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
