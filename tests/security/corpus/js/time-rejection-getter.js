// id: JS-TIM-043
// class: time
// tries: leave a rejection whose every property loops
// expect: error DeadlineExceeded

const loop = { get() { for (;;); } };
Promise.reject(Object.defineProperties({}, { name: loop, message: loop, stack: loop, toString: loop }));
