-- The module stream: what the host yields item by item.

local R = ...

local setmetatable, type = setmetatable, type

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
    local ended, item = R.draw(s)
    if ended ~= false then
      drawn[depth] = nil
      return ended == nil and item or nil
    elseif f(1, item) == false then
      drawn[depth] = nil
      return R.close_stream(target)
    end
  end
end

function members.next(n, s)
  check("next", n, 1, s)
  local ended, item = R.draw(s)
  if ended == nil then
    return item
  end
  return R.keep_keys(setmetatable({ value = item, done = ended }, R.MAP), "value")
end

function members.collect(n, s)
  check("collect", n, 1, s)
  local list, count = {}, 0
  while true do
    local ended, item = R.draw(s)
    if ended == nil then
      return item
    elseif ended then
      return R.list(count, list)
    end
    list[count] = item
    count = count + 1
  end
end

function members.close(n, s)
  return R.close_stream(check("close", n, 1, s))
end

R.define_module("stream", members)
