-- The functions of the module text for regular expressions: Python answers with flat lists of positions.

local R = ...

local type, next = type, next
local sub = string.sub
local L, fail, spend, bad_count, convert = R.L, R.fail, R.spend, R.bad_count, R.convert

local members = {}
local define = R.definer(members)

local function refused(message)
  return R.error_text(message)
end

-- the groups of a match, whose positions stand in found from an index on
local function groups_at(s, found, at, size)
  local groups = {}
  for group = 0, size - 1 do
    local begin, stop = found[at + 2 * group], found[at + 2 * group + 1]
    groups[group] = R.immutable(setmetatable({ text = sub(s, begin + 1, stop), begin = begin, ["end"] = stop }, R.MAP))
  end
  spend(size * 8)
  return R.list(size, groups)
end

local function regex_match(pattern, s)
  local answer = R.internal("regex_match", pattern, s)
  return type(answer) == "string" and refused(answer) or answer
end

local function regex_find(pattern, s, n)
  local found = R.internal("regex_find", pattern, s, n)
  if type(found) == "string" then
    return refused(found)
  end
  local matches, count = {}, 0
  local at = 0
  while at < found[L] do
    local size = found[at]
    matches[count] = groups_at(s, found, at + 1, size)
    count = count + 1
    at = at + 1 + 2 * size
  end
  return count > 0 and R.list(count, matches) or nil
end

local function regex_replace(pattern, s, with)
  local answer = R.internal("regex_replace", pattern, s, with, R.max_string)
  if type(answer) == "string" then
    return answer
  elseif answer == false then
    fail("exceeding string size limit")
  end
  return refused(answer[0])
end

local function regex_split(pattern, s, n)
  local answer = R.internal("regex_split", pattern, s, n)
  return type(answer) == "string" and refused(answer) or answer
end

define("re_match", { "string", "string" }, regex_match)
define("re_replace", { "string", "string", "string" }, regex_replace)

-- f(pattern, s, limit), where a script may leave out the limit
local function define_limited(name, usual, f)
  local called = "user-function:" .. name
  members[name] = function(n, pattern, s, limit)
    if n ~= 2 and n ~= 3 then
      bad_count(called)
    end
    pattern = convert.string(called, 1, pattern)
    s = convert.string(called, 2, s)
    return f(pattern, s, n == 3 and convert.int(called, 3, limit) or usual)
  end
end

define_limited("re_find", 1, regex_find)
define_limited("re_split", -1, regex_split)

local function compiled(pattern)
  local own = {}
  own.match = R.module_function("", { "string" }, function(s)
    return regex_match(pattern, s)
  end)
  own.replace = R.module_function("", { "string", "string" }, function(s, with)
    return regex_replace(pattern, s, with)
  end)
  own.find = function(n, s, limit)
    if n ~= 1 and n ~= 2 then
      bad_count("user-function:")
    end
    s = convert.string("user-function:", 1, s)
    return regex_find(pattern, s, n == 2 and convert.int("user-function:", 2, limit) or n == 1 and 1 or limit)
  end
  own.split = function(n, s, limit)
    if n ~= 1 and n ~= 2 then
      bad_count("user-function:")
    end
    s = convert.string("user-function:", 1, s)
    return regex_split(pattern, s, n == 2 and convert.int("user-function:", 2, limit) or n == 1 and -1 or limit)
  end
  for _, f in next, own do
    R.names[f] = "user-function:"
  end
  return R.immutable(setmetatable(own, R.MAP))
end

define("re_compile", { "string" }, function(pattern)
  local message = R.internal("regex_check", pattern)
  return message and refused(message) or compiled(pattern)
end)

R.text_regexps = members
