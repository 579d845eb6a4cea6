// id: JS-TIM-022
// class: time
// tries: match a catastrophic regular expression
// expect: error DeadlineExceeded

/^(a+)+$/.test("a".repeat(60) + "!");
