-- Types whose values live in the guest (tasks, promises, channels), and how functions of theirs check what they are given.

local R = ...

local type, next, rawset, setmetatable = type, next, rawset, setmetatable
local names, kind_of = R.names, R.kind_of

local STATE = {}
R.STATE = STATE

-- fields are computed, methods bound when asked for
function R.live_type(kind, fields, methods)
  local mt = R.install({ kind = kind, shape = kind }, function(v, key)
    if type(key) ~= "string" then
      if key == R.OWN then
        return nil
      elseif key == nil then
        R.invalid_index(key)
      end
      key = R.shown(key)
    end
    if fields[key] then
      return fields[key](v[STATE])
    end
    local method = methods[key]
    if not method then
      local known, count = {}, 0
      for _, group in next, { fields, methods } do
        for name in next, group do
          known[count] = name
          count = count + 1
        end
      end
      R.fail(R.internal("unknown_member", "a " .. kind, key, R.list(count, known)))
    end
    local function bound(n, ...)
      return method(v[STATE], n, ...)
    end
    names[bound] = "user-function:" .. key
    rawset(v, key, bound)
    return bound
  end, R.not_assignable, R.not_callable)
  function mt.truth()
    return true
  end
  function mt.equal()
    return false
  end
  R.texts[kind] = function(out)
    out[#out + 1] = "<" .. kind .. ">"
  end
  return function(state)
    local v = setmetatable({ [STATE] = state }, mt)
    state.value = v
    return v
  end
end

function R.state_of(v, kind)
  return kind_of(v) == kind and v[STATE] or nil
end

-- Arguments

function R.check_count(name, n, low, high)
  if n < low or n > high then
    R.bad_count("user-function:" .. name)
  end
end

function R.check_function(name, at, f)
  if type(f) ~= "function" then
    R.bad_argument("user-function:" .. name, at, "callable function", f)
  end
end

-- seconds, or nil
function R.check_seconds(name, at, v)
  if v == nil then
    return nil
  end
  if type(v) ~= "number" or v ~= v or v < 0 then
    R.bad_argument("user-function:" .. name, at, "seconds", v)
  end
  return v
end

function R.check_list(name, at, v)
  local kind = kind_of(v)
  if kind ~= "array" and kind ~= "immutable-array" then
    R.bad_argument("user-function:" .. name, at, "array", v)
  end
  return R.backing(v)
end

-- an option of a function, from a map of them; others than those known are refused
function R.option(name, options, known, key)
  local kind = kind_of(options)
  if kind ~= "map" and kind ~= "immutable-map" then
    R.bad_argument("user-function:" .. name, "options", "map", options)
  end
  for each in next, R.backing(options) do
    if not known[each] then
      local list, count = {}, 0
      for option in next, known do
        list[count] = option
        count = count + 1
      end
      R.fail(R.internal("unknown_member", name, each, R.list(count, list)))
    end
  end
  return options[key]
end

-- an error value as the host's look
function R.coded_error(code, message)
  return R.error_value(setmetatable({ code = code, message = message }, R.MAP))
end
