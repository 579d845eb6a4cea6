-- Standard modules: a module's values are its members; import gives an immutable map of them.

local R = ...

local type, next, setmetatable = type, next, setmetatable
local names = R.names

local modules = {}

function R.native_module(name)
  local module = modules[name]
  if not module then
    local members = { __module_name__ = name }
    for key, value in next, R.members[name] do
      members[key] = value
    end
    module = R.immutable(setmetatable(members, R.MAP))
    modules[name] = module
  end
  return module
end

-- name the functions of a module for type_name
function R.define_module(name, members)
  for key, value in next, members do
    if type(value) == "function" then
      names[value] = "user-function:" .. key
    end
  end
  R.members[name] = members
end
