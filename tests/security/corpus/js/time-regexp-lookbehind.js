// id: JS-TIM-023
// class: time
// tries: match one with lookbehind
// expect: error DeadlineExceeded

/(?<=(a+)+)b/.test("a".repeat(40) + "c"); for (;;) /^(\\w+\\s?)*$/.test("a ".repeat(40) + "!");
