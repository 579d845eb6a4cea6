-- The outermost variables of a program as one list of names and values.

local R = ...

local next = next

function R.listed(variables)
  local list, n = {}, 0
  for name, v in next, variables do
    list[n], list[n + 1] = name, v
    n = n + 2
  end
  return R.list(n, list)
end
