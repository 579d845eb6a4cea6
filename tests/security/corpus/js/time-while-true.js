// id: JS-TIM-002
// class: time
// tries: loop for ever in another way
// expect: error DeadlineExceeded

while (true) { Math.sqrt(2) }
