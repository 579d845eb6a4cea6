-- /// spell
-- name = "callbacks"
-- description = "Give functions of the script to a bridge, which calls them."
-- ///

local data = require("data")

local basket = {
  { fruit = "apples", price = 3, count = 4 },
  { fruit = "pears", price = 5, count = 0 },
  { fruit = "plums", price = 2, count = 10 },
}

local bought = data.filter(basket, function(item)
  return item.count > 0
end)

local costs = data.map(bought, function(item)
  return { fruit = item.fruit, cost = item.price * item.count }
end)

local total = data.reduce(costs, function(sum, item)
  return sum + item.cost
end, 0)

for _, item in ipairs(costs) do
  print(("%-8s %3d"):format(item.fruit, item.cost))
end
print(("%-8s %3d"):format("total", total))

return total
