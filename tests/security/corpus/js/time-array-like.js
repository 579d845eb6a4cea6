// id: JS-TIM-026
// class: time
// tries: walk an array-like of endless length
// expect: error DeadlineExceeded

for (;;) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
