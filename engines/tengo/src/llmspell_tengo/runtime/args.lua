-- Arguments of module functions: counted, converted as the reference converts them, refused in its words.

local R = ...

local type, rawget, math_type = type, rawget, math.type
local bad_argument, bad_count, kind_of = R.bad_argument, R.bad_count, R.kind_of

local ordinals = { "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth" }

-- each takes the function's type name, the argument's position and the argument
local convert = {}
R.convert = convert

function convert.string(called, at, v)
  if type(v) == "string" then
    return v
  elseif v == nil then
    bad_argument(called, ordinals[at], "string(compatible)", v)
  end
  return R.shown(v)
end

function convert.int(called, at, v)
  if math_type(v) == "integer" then
    return v
  end
  local i = R.to_int(v)
  if i == nil then
    bad_argument(called, ordinals[at], "int(compatible)", v)
  end
  return i
end

function convert.float(called, at, v)
  if math_type(v) == "float" then
    return v
  end
  local f = R.to_float(v)
  if f == nil then
    bad_argument(called, ordinals[at], "float(compatible)", v)
  end
  return f
end

function convert.time(called, at, v)
  local t = R.to_time(v)
  if t == nil then
    bad_argument(called, ordinals[at], "time(compatible)", v)
  end
  return t
end

-- the bytes of a string or of bytes, as a string
function convert.bytes(called, at, v)
  if type(v) == "string" then
    return v
  elseif kind_of(v) == "bytes" then
    return rawget(v, R.DATA)
  end
  bad_argument(called, ordinals[at], "bytes(compatible)", v)
end

-- exactly a type
local function exactly(kind)
  return function(called, at, v)
    if R.type_name(v) ~= kind then
      bad_argument(called, ordinals[at], kind, v)
    end
    return v
  end
end
convert.exact_string, convert.exact_int, convert.exact_float = exactly("string"), exactly("int"), exactly("float")
convert.exact_bool, convert.exact_bytes = exactly("bool"), exactly("bytes")

-- A function of a module: f gets its converted arguments. Up to two arguments take no detour through varargs.
function R.module_function(name, kinds, f)
  local called = "user-function:" .. name
  local count = #kinds
  local first, second = convert[kinds[1]], convert[kinds[2]]
  if count == 0 then
    return function(n)
      if n ~= 0 then
        bad_count(called)
      end
      return f()
    end
  elseif count == 1 then
    return function(n, a)
      if n ~= 1 then
        bad_count(called)
      end
      return f(first(called, 1, a))
    end
  elseif count == 2 then
    return function(n, a, b)
      if n ~= 2 then
        bad_count(called)
      end
      return f(first(called, 1, a), second(called, 2, b))
    end
  end
  return function(n, ...)
    if n ~= count then
      bad_count(called)
    end
    local args = { ... }
    for index = 1, count do
      args[index] = convert[kinds[index]](called, index, args[index])
    end
    return f(table.unpack(args, 1, count))
  end
end

-- an error value with a message
function R.error_text(message)
  return R.error_value(message)
end

-- what defines such functions in a table of members
function R.definer(members)
  return function(name, kinds, f)
    members[name] = R.module_function(name, kinds, f)
  end
end
