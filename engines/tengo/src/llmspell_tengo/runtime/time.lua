-- The type time: an instant in nanoseconds, and the place whose clock shows it.

local R = ...

local type, getmetatable, setmetatable, rawget = type, getmetatable, setmetatable, rawget
local math_type = math.type
local bad_count = R.bad_count

-- seconds since 1970 and nanoseconds within the second; zone is a name, offset its distance from UTC at that instant
local SECONDS, NANOS, ZONE, OFFSET = {}, {}, {}, {}
local TIME = { kind = "time", shape = "time" }
R.TIME = TIME
local ZERO = -62135596800 -- year 1

local function new_time(seconds, nanos, zone, offset)
  seconds = seconds + nanos // 1000000000
  nanos = nanos % 1000000000
  return setmetatable({ [SECONDS] = seconds, [NANOS] = nanos, [ZONE] = zone, [OFFSET] = offset }, TIME)
end
R.new_time = new_time

-- seconds, nanoseconds, zone, offset
local function parts(t)
  return rawget(t, SECONDS), rawget(t, NANOS), rawget(t, ZONE), rawget(t, OFFSET)
end
R.time_parts = parts

-- a duration in nanoseconds on; the offset is found anew where the zone changes it
local function plus(t, duration)
  local seconds, nanos, zone, offset = parts(t)
  -- split, so that the sum of nanoseconds stays small
  seconds = seconds + duration // 1000000000
  nanos = nanos + duration % 1000000000
  local result = new_time(seconds, nanos, zone, offset)
  if zone == "UTC" then
    return result
  end
  return R.relocated(result, zone)
end
R.time_plus = plus

-- the distance in nanoseconds, held to what an int can say
local function minus(a, b)
  local s, n = parts(a)
  local t, m = parts(b)
  local seconds = s - t
  if seconds > 9223372036 then
    return math.maxinteger
  elseif seconds < -9223372036 then
    return math.mininteger
  end
  return seconds * 1000000000 + n - m
end
R.time_minus = minus

-- the same instant on the clock of another zone
function R.relocated(t, zone)
  local seconds, nanos = parts(t)
  if zone == "UTC" then
    return new_time(seconds, nanos, "UTC", 0)
  end
  return new_time(seconds, nanos, zone, R.internal("zone_offset", zone, seconds))
end

function R.local_time(seconds, nanos)
  return R.relocated(new_time(seconds, nanos, "Local", 0), "Local")
end

function R.to_time(v)
  if R.kind_of(v) == "time" then
    return v
  elseif math_type(v) == "integer" then
    return R.local_time(v, 0)
  end
end

local function refuse(message)
  return function()
    R.fail(message)
  end
end
R.install(TIME, function(t, k)
  if k ~= R.OWN then
    error("\1i\1time\1" .. R.type_name(k), 0)
  end
end, refuse("not index-assignable: time"), refuse("not callable: time"))

function TIME.__eq(a, b)
  if R.kind_of(a) ~= "time" or R.kind_of(b) ~= "time" then
    return false
  end
  local s, n = parts(a)
  local t, m = parts(b)
  return s == t and n == m
end
TIME.equal = TIME.__eq

function TIME.add(a, b)
  if math_type(b) == "integer" then
    return plus(a, b)
  end
  R.invalid(a, "+", b)
end

function TIME.subtract(a, b)
  if math_type(b) == "integer" then
    return plus(a, -b)
  elseif R.kind_of(b) == "time" then
    return minus(a, b)
  end
  R.invalid(a, "-", b)
end

function TIME.compare(a, b, compare)
  local s, n = parts(a)
  local t, m = parts(b)
  if s == t then
    return compare(n, m)
  end
  return compare(s, t)
end

function TIME.truth(t)
  local seconds, nanos = parts(t)
  return seconds ~= ZERO or nanos ~= 0
end

function R.time_text(t)
  return R.internal("time_string", parts(t))
end

R.texts.time = function(out, t)
  out[#out + 1] = R.time_text(t)
end

function TIME.encode(out, t, state, extension, encode_text)
  if state.faithful then
    out[#out + 1] = extension(17, R.encoded_list(true, 1, 4, parts(t)))
  else
    encode_text(out, R.internal("time_rfc3339", parts(t)), state)
  end
end

function R.decoded_time(payload)
  local list = R.decoded_value(payload)
  return new_time(list[0], list[1], list[2], list[3])
end

local function builtin_time(n, v, default)
  if n ~= 1 and n ~= 2 then
    bad_count("builtin-function:time")
  end
  local t = R.to_time(v)
  if t == nil and n == 2 then
    return default
  end
  return t
end
R.builtin_time = builtin_time
R.names[builtin_time] = "builtin-function:time"
