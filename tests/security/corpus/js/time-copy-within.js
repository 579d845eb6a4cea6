// id: JS-TIM-028
// class: time
// tries: copy within an array-like of endless length
// expect: error DeadlineExceeded

Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1);
