local function counter(start)
  local n = start
  return {
    next = function()
      n = n + 1
      return n
    end,
    add = function(by)
      n = n + by
    end,
    value = function()
      return n
    end,
  }
end
local function apply(f, x)
  return f(x)
end
local function run(count)
  local total = 0
  for i = 0, count - 1 do
    local c = counter(i)
    c.next()
    c.add(2)
    total = total + c.value()
  end
  for i = 0, count - 1 do
    total = total + apply(function(x)
      return x + i
    end, 3)
  end
  return total
end
return run(300000)
