local function matrix(n, seed)
  local rows = {}
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do
      row[j + 1] = (i * 7 + j * 13 + seed) % 10 / 10.0
    end
    rows[i + 1] = row
  end
  return rows
end
local function multiply(a, b, n)
  local c = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do
        sum = sum + a[i][k] * b[k][j]
      end
      row[j] = sum
    end
    c[i] = row
  end
  return c
end
local n = 120
local c = multiply(matrix(n, 1), matrix(n, 2), n)
return c[4][6] + c[120][120]
