// id: JS-TIM-008
// class: time
// tries: loop for ever between awaits
// expect: error DeadlineExceeded

for (;;) await null;
