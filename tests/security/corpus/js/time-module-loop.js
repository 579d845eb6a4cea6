// id: JS-TIM-038
// class: time
// tries: require the same bridge for ever
// expect: error DeadlineExceeded

for (;;) require("core");
