// id: JS-TIM-011
// class: time
// tries: loop in a then that await calls
// expect: error DeadlineExceeded

await { then() { for (;;); } };
