-- The module times. Calendars and layouts are Python's work.

local R = ...

local parts, new_time = R.time_parts, R.new_time
local format = string.format

local members = {
  format_ansic = "Mon Jan _2 15:04:05 2006",
  format_unix_date = "Mon Jan _2 15:04:05 MST 2006",
  format_ruby_date = "Mon Jan 02 15:04:05 -0700 2006",
  format_rfc822 = "02 Jan 06 15:04 MST",
  format_rfc822z = "02 Jan 06 15:04 -0700",
  format_rfc850 = "Monday, 02-Jan-06 15:04:05 MST",
  format_rfc1123 = "Mon, 02 Jan 2006 15:04:05 MST",
  format_rfc1123z = "Mon, 02 Jan 2006 15:04:05 -0700",
  format_rfc3339 = "2006-01-02T15:04:05Z07:00",
  format_rfc3339_nano = "2006-01-02T15:04:05.999999999Z07:00",
  format_kitchen = "3:04PM",
  format_stamp = "Jan _2 15:04:05",
  format_stamp_milli = "Jan _2 15:04:05.000",
  format_stamp_micro = "Jan _2 15:04:05.000000",
  format_stamp_nano = "Jan _2 15:04:05.000000000",
  nanosecond = 1,
  microsecond = 1000,
  millisecond = 1000000,
  second = 1000000000,
  minute = 60000000000,
  hour = 3600000000000,
}

local months = {
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
}
for number, name in next, months do
  members[string.lower(name)] = number
end

local define = R.definer(members)

-- what Python answers to make a time of
local function time_of(list)
  return new_time(list[0], list[1], list[2], list[3])
end

local function now()
  return time_of(R.internal("now"))
end

-- Durations

define("sleep", { "int" }, function(duration)
  if duration > 0 then
    R.sleep(duration / 1e9)
  end
end)
define("parse_duration", { "string" }, function(s)
  local answer = R.internal("parse_duration", s)
  return type(answer) == "string" and R.error_text(answer) or answer
end)
-- whole units and the rest apart, as Go divides
local function in_units(name, unit)
  define(name, { "int" }, function(duration)
    local whole = math.fmod(duration, unit)
    return (duration - whole) // unit + whole / unit
  end)
end
in_units("duration_hours", 3600000000000)
in_units("duration_minutes", 60000000000)
in_units("duration_seconds", 1000000000)
define("duration_nanoseconds", { "int" }, function(duration)
  return duration
end)
define("duration_string", { "int" }, function(duration)
  return R.internal("duration_string", duration)
end)
define("month_string", { "int" }, function(month)
  local known = months[month]
  if known then
    return known
  end
  -- as an unsigned number
  local tens = (month >> 1) // 5
  return "%!Month(" .. (tens > 0 and format("%d", tens) or "") .. format("%d", month - tens * 10) .. ")"
end)

-- Times

define("now", {}, now)
define("since", { "time" }, function(t)
  return R.time_minus(now(), t)
end)
define("until", { "time" }, function(t)
  return R.time_minus(t, now())
end)
define("unix", { "int", "int" }, R.local_time)
define("add", { "time", "int" }, R.time_plus)
define("sub", { "time", "time" }, R.time_minus)
define("after", { "time", "time" }, function(a, b)
  return b < a
end)
define("before", { "time", "time" }, function(a, b)
  return a < b
end)
define("is_zero", { "time" }, function(t)
  return not R.TIME.truth(t)
end)
define("to_local", { "time" }, function(t)
  return R.relocated(t, "Local")
end)
define("to_utc", { "time" }, function(t)
  return R.relocated(t, "UTC")
end)
define("in_location", { "time", "string" }, function(t, zone)
  if not R.internal("is_zone", zone) then
    return R.error_text("unknown time zone " .. zone)
  end
  return R.relocated(t, zone == "" and "UTC" or zone)
end)
define("add_date", { "time", "int", "int", "int" }, function(t, years, months, days)
  local seconds, nanos, zone, offset = parts(t)
  return time_of(R.internal("add_date", seconds, nanos, zone, offset, years, months, days))
end)

local dated = R.module_function("date", { "int", "int", "int", "int", "int", "int", "int" }, function(...)
  return time_of(R.internal("date", "Local", ...))
end)
local dated_in = R.module_function(
  "date",
  { "int", "int", "int", "int", "int", "int", "int", "string" },
  function(year, month, day, hour, minute, second, nano, zone)
    if not R.internal("is_zone", zone) then
      return R.error_text("unknown time zone " .. zone)
    end
    return time_of(R.internal("date", zone == "" and "UTC" or zone, year, month, day, hour, minute, second, nano))
  end
)
members.date = function(n, ...)
  return (n == 8 and dated_in or dated)(n, ...)
end

define("parse", { "string", "string" }, function(layout, s)
  local answer = R.internal("time_parse", layout, s)
  return type(answer) == "string" and R.error_text(answer) or time_of(answer)
end)
define("time_format", { "time", "string" }, function(t, layout)
  local seconds, nanos, zone, offset = parts(t)
  local s = R.internal("time_format", seconds, nanos, zone, offset, layout)
  if #s > R.max_string then
    R.fail("exceeding string size limit")
  end
  return s
end)
define("time_string", { "time" }, R.time_text)
define("time_location", { "time" }, function(t)
  local _, _, zone = parts(t)
  return R.internal("zone_name", zone)
end)
define("time_unix", { "time" }, function(t)
  return (parts(t))
end)
define("time_unix_nano", { "time" }, function(t)
  local seconds, nanos = parts(t)
  return seconds * 1000000000 + nanos
end)
define("time_nanosecond", { "time" }, function(t)
  local _, nanos = parts(t)
  return nanos
end)

-- what the clock of the time's place shows: year, month, day, hour, minute, second, weekday
for at, name in next, { "year", "month", "day", "hour", "minute", "second", "weekday" } do
  define("time_" .. name, { "time" }, function(t)
    local seconds, _, _, offset = parts(t)
    return R.internal("clock", seconds + offset)[at - 1]
  end)
end

R.define_module("times", members)
