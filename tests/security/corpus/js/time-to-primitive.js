// id: JS-TIM-020
// class: time
// tries: loop in Symbol.toPrimitive of every object at the end
// expect: error DeadlineExceeded

try { Object.prototype[Symbol.toPrimitive] = () => { for (;;); } } catch {} for (;;);
