-- The module fmt.

local R = ...

local type, select, concat = type, select, table.concat
local shown, fail = R.shown, R.fail

local function joined(n, ...)
  local parts, total = {}, 0
  for index = 1, n do
    local v = (select(index, ...))
    local s = type(v) == "string" and v or v == nil and "" or shown(v)
    total = total + #s
    if total > R.max_string then
      fail("exceeding string size limit")
    end
    parts[index] = s
  end
  return concat(parts)
end

R.define_module("fmt", {
  print = function(n, ...)
    R.emit(joined(n, ...))
  end,
  println = function(n, ...)
    R.emit(joined(n, ...) .. "\n")
  end,
  printf = function(n, ...)
    R.emit(R.formatted("user-function:printf", n, ...))
  end,
  sprintf = function(n, ...)
    return R.formatted("user-function:sprintf", n, ...)
  end,
})
