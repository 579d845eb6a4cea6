// id: JS-TIM-007
// class: time
// tries: go on in the finally of a generator
// expect: error DeadlineExceeded

function* g() { try { for (;;) yield 1 } finally { for (;;); } } for (const x of g()) break;
