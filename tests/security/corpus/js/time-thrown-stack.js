// id: JS-TIM-017
// class: time
// tries: loop in the stack of what is thrown
// expect: error DeadlineExceeded

throw Object.defineProperty(new Error("x"), "message", { get() { for (;;); } });
