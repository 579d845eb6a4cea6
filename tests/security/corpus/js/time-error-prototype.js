// id: JS-TIM-018
// class: time
// tries: loop in toString of Error.prototype at the end
// expect: error DeadlineExceeded

try { Error.prototype.toString = () => { for (;;); } } catch {} for (;;);
