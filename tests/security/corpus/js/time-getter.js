// id: JS-TIM-012
// class: time
// tries: loop in a getter of the result
// expect: error DeadlineExceeded

return { get a() { for (;;); } };
