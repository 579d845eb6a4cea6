// id: JS-TIM-013
// class: time
// tries: loop in toJSON of the result
// expect: error DeadlineExceeded

return { toJSON() { for (;;); } };
