// id: JS-TIM-004
// class: time
// tries: catch the end of a loop
// expect: error DeadlineExceeded

for (;;) { try { for (;;); } catch {} }
