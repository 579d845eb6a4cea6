local sum = 0
for i = 0, 2999 do
  for j = 0, 999 do
    sum = sum + (i ~ j)
  end
end
return sum
