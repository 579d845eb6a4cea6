// id: JS-TIM-029
// class: time
// tries: sort with a comparison that never agrees
// expect: error DeadlineExceeded

const a = Array.from({ length: 1e5 }, (_, i) => i); for (;;) a.sort(() => Math.random() - 0.5);
