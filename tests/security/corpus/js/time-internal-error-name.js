// id: JS-TIM-019
// class: time
// tries: loop in the name of the error that ends the run
// expect: error DeadlineExceeded

try { InternalError.prototype.name = { toString() { for (;;); } } } catch {} for (;;);
