-- The module stream: what the host yields item by item.

local R = ...

local setmetatable, type = setmetatable, type
local kind_of = R.kind_of

local members = {}

local function check(name, n, wanted, s)
  if n ~= wanted then
    R.bad_count("user-function:" .. name)
  end
  local target = R.target_of(s)
  if not target then
    R.bad_argument("user-function:" .. name, "first", "stream", s)
  end
  return target
end

-- f(item) for each item; f may end it by returning false. A failure of the host is returned.
function members.each(n, s, f)
  local target = check("each", n, 2, s)
  if type(f) ~= "function" then
    R.bad_argument("user-function:each", "second", "callable function", f)
  end
  -- A task that ends in the middle of this, cancelled or failed, closes what it draws from.
  local task = R.task
  local drawn = task.drawn or {}
  task.drawn = drawn
  local depth = #drawn + 1
  drawn[depth] = target
  while true do
    local answer = R.ask(target, "next", 0)
    if kind_of(answer) == "error" then
      drawn[depth] = nil
      return answer
    elseif answer[0] then
      drawn[depth] = nil
      return nil
    elseif f(1, answer[1]) == false then
      drawn[depth] = nil
      return R.ask(target, "close", 0)
    end
  end
end

function members.next(n, s)
  local answer = R.ask(check("next", n, 1, s), "next", 0)
  if kind_of(answer) == "error" then
    return answer
  end
  return R.keep_keys(setmetatable({ value = answer[1], done = answer[0] }, R.MAP), "value")
end

function members.collect(n, s)
  local target = check("collect", n, 1, s)
  local list, count = {}, 0
  while true do
    local answer = R.ask(target, "next", 0)
    if kind_of(answer) == "error" then
      return answer
    elseif answer[0] then
      return R.list(count, list)
    end
    list[count] = answer[1]
    count = count + 1
  end
end

function members.close(n, s)
  return R.ask(check("close", n, 1, s), "close", 0)
end

R.define_module("stream", members)
