-- Sorting in Lua: a merge sort, which ends whatever the comparator says, keeps the order of equal items, and can be
-- interrupted and suspended.

local error = error
local move, sort = table.move, table.sort

local RUN <const> = 8

local function merge(from, into, low, middle, high, less)
  local i, j = low, middle
  for k = low, high - 1 do
    if i < middle and (j >= high or not less(from[j], from[i])) then
      into[k] = from[i]
      i = i + 1
    else
      into[k] = from[j]
      j = j + 1
    end
  end
end

-- Merge sort: it ends whatever the comparator says, and equal items keep their order. Returns the sorted items.
local function merge_sort(items, count, less, width)
  if not width then
    width = RUN
    for low = 1, count, RUN do
      local high = low + RUN - 1
      if high > count then
        high = count
      end
      for i = low + 1, high do
        local v, j = items[i], i - 1
        while j >= low and less(v, items[j]) do
          items[j + 1] = items[j]
          j = j - 1
        end
        items[j + 1] = v
      end
    end
  end
  local other = {}
  while width < count do
    for low = 1, count, 2 * width do
      local middle, high = low + width, low + 2 * width
      if middle > count + 1 then
        middle = count + 1
      end
      if high > count + 1 then
        high = count + 1
      end
      merge(items, other, low, middle, high, less)
    end
    items, other = other, items
    width = width * 2
  end
  return items
end

local function natural(a, b)
  return a < b
end

-- `slice`: how many items C may sort at once where the natural order of numbers or texts is asked for.
return function(t, less, simple, slice)
  local count = #t
  if count >= 0x7FFFFFFF then
    error("array too big", 3)
  end
  local items = {}
  for i = 1, count do
    items[i] = t[i]
  end
  if less then
    items = merge_sort(items, count, less)
  elseif simple and slice then
    for low = 1, count, slice do
      local part = move(items, low, low + slice - 1 < count and low + slice - 1 or count, 1, {})
      sort(part)
      move(part, 1, #part, low, items)
    end
    items = merge_sort(items, count, natural, slice)
  else
    items = merge_sort(items, count, natural)
  end
  for i = 1, count do
    t[i] = items[i]
  end
end
