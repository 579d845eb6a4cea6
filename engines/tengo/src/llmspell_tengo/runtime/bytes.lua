-- The type bytes: an immutable Lua string in a table of its own, so that bytes and strings stay apart.

local R = ...

local type, getmetatable, setmetatable, rawget = type, getmetatable, setmetatable, rawget
local math_type, byte, sub, rep = math.type, string.byte, string.sub, string.rep
local fail, bad_count = R.fail, R.bad_count

local DATA = {}
R.DATA = DATA
local BYTES = { kind = "bytes", shape = "bytes" }
R.BYTES = BYTES

local function new_bytes(s)
  return setmetatable({ [DATA] = s }, BYTES)
end
R.new_bytes = new_bytes

R.install(BYTES, function(v, k)
  if math_type(k) ~= "integer" then
    if k == R.OWN then
      return nil
    end
    R.invalid_index(k)
  elseif k < 0 then
    return nil
  end
  return byte(rawget(v, DATA), k + 1)
end, function()
  fail("not index-assignable: bytes")
end, function()
  fail("not callable: bytes")
end)

function BYTES.__eq(a, b)
  if R.kind_of(a) ~= "bytes" or R.kind_of(b) ~= "bytes" then
    return false
  end
  return rawget(a, DATA) == rawget(b, DATA)
end
BYTES.equal = BYTES.__eq

function BYTES.add(a, b)
  if R.kind_of(b) ~= "bytes" then
    R.invalid(a, "+", b)
  end
  local left, right = rawget(a, DATA), rawget(b, DATA)
  if #left + #right > R.max_bytes then
    fail("exceeding bytes size limit")
  end
  return new_bytes(left .. right)
end

function BYTES.length(v)
  return #rawget(v, DATA)
end

function BYTES.truth(v)
  return rawget(v, DATA) ~= ""
end

function BYTES.slice(v, low, high)
  return new_bytes(sub(rawget(v, DATA), low + 1, high))
end

function BYTES.copy(v)
  return new_bytes(rawget(v, DATA))
end

function BYTES.contents(v)
  local s, list = rawget(v, DATA), {}
  R.spend(#s // 2)
  for index = 1, #s do
    list[index - 1] = byte(s, index)
  end
  return #s - 1, nil, list
end

R.texts.bytes = function(out, v)
  out[#out + 1] = rawget(v, DATA)
end

local function builtin_bytes(n, v, default)
  if n ~= 1 and n ~= 2 then
    bad_count("builtin-function:bytes")
  elseif math_type(v) == "integer" then
    if v > R.max_bytes then
      fail("exceeding bytes size limit")
    elseif v < 0 then
      fail("runtime error: makeslice: len out of range")
    end
    return new_bytes(rep("\0", v))
  elseif type(v) == "string" then
    if #v > R.max_bytes then
      fail("exceeding bytes size limit")
    end
    return new_bytes(v)
  elseif R.kind_of(v) == "bytes" then
    return v
  elseif n == 2 then
    return default
  end
end
R.builtin_bytes = builtin_bytes
R.names[builtin_bytes] = "builtin-function:bytes"
