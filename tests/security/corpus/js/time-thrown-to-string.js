// id: JS-TIM-016
// class: time
// tries: loop in toString of what is thrown
// expect: error DeadlineExceeded

throw { toString() { for (;;); } };
