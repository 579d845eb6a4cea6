// id: JS-TIM-036
// class: time
// tries: keep the run alive by an interval
// expect: error DeadlineExceeded BudgetExceeded ResourceExhausted

setInterval(() => {}, 1);
