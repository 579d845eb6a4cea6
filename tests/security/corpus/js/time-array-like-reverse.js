// id: JS-TIM-027
// class: time
// tries: reverse an array-like of endless length
// expect: error DeadlineExceeded

Array.prototype.reverse.call({ length: 2 ** 53 - 1 });
