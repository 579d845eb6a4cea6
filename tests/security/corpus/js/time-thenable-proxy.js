// id: JS-TIM-046
// class: time
// tries: loop in a proxy that stands for a then
// expect: error DeadlineExceeded

await { then: new Proxy(function () {}, { apply() { for (;;); } }) };
