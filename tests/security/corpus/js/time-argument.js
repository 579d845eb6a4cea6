// id: JS-TIM-021
// class: time
// tries: loop in a getter of an argument
// expect: error DeadlineExceeded

data.clone({ get a() { for (;;); } });
