-- Counting allocations as the reference does, for programs that are compiled to be counted.

local R = ...

local error = error

local function count_allocation()
  R.allocations = R.allocations - 1
  if R.allocations < 0 then
    error("\1e\1object allocation limit exceeded", 0)
  end
end

function R.allocated(v)
  count_allocation()
  return v
end

-- a call in that mode: what builtin and host functions return is an allocation, what script functions return is none
function R.call_counted(f, n, ...)
  if R.names[f] then
    local v = f(n, ...)
    count_allocation()
    return v
  end
  return f(n, ...)
end

function R.immutable_counted(v)
  local kind = R.kind_of(v)
  if kind == "array" or kind == "map" then
    count_allocation()
  end
  return R.immutable(v)
end

