local function quicksort(a, low, high)
  while low < high do
    local pivot = a[(low + high) // 2]
    local i, j = low, high
    while i <= j do
      while a[i] < pivot do
        i = i + 1
      end
      while a[j] > pivot do
        j = j - 1
      end
      if i <= j then
        a[i], a[j] = a[j], a[i]
        i = i + 1
        j = j - 1
      end
    end
    if j - low < high - i then
      quicksort(a, low, j)
      low = i
    else
      quicksort(a, i, high)
      high = j
    end
  end
end
local a, seed = {}, 1
for _ = 1, 200000 do
  seed = seed * 16807 % 2147483647
  a[#a + 1] = seed % 1000000
end
quicksort(a, 1, #a)
local check = 0
for i = 2, #a do
  if a[i - 1] > a[i] then
    check = -1
  end
end
return check + a[101] + a[200000]
