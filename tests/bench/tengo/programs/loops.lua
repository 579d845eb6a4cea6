local function run(rows, columns)
  local sum = 0
  for i = 0, rows - 1 do
    for j = 0, columns - 1 do
      if (i + j) % 3 ~= 0 then
        sum = sum + (i * j) % 7
      end
    end
  end
  return sum
end
return run(3000, 1000)
