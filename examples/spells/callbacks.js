// /// spell
// name = "callbacks"
// description = "Give functions of the script to a bridge, which calls them."
// ///

import data from "data";

const basket = [
  { fruit: "apples", price: 3, count: 4 },
  { fruit: "pears", price: 5, count: 0 },
  { fruit: "plums", price: 2, count: 10 },
];

const bought = await data.filter(basket, (item) => item.count > 0);
const costs = await data.map(bought, (item) => ({ fruit: item.fruit, cost: item.price * item.count }));
const total = await data.reduce(costs, (sum, item) => sum + item.cost, 0);

for (const { fruit, cost } of [...costs, { fruit: "total", cost: total }]) {
  console.log(fruit.padEnd(8), String(cost).padStart(3));
}

export default total;
