// id: JS-TIM-006
// class: time
// tries: loop in a generator
// expect: error DeadlineExceeded

function* g() { for (;;) yield 1 } for (const x of g());
