// id: JS-TIM-001
// class: time
// tries: loop for ever
// expect: error DeadlineExceeded

for (;;);
