// id: JS-TIM-037
// class: time
// tries: compile text for ever
// expect: error DeadlineExceeded

for (;;) new Function("x".repeat(1000));
