// id: JS-TIM-024
// class: time
// tries: compute with integers of many digits
// expect: error DeadlineExceeded

let x = 3n ** 20000n; const m = 7n ** 15000n; for (;;) x = x * x % m;
