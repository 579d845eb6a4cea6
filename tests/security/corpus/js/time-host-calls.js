// id: JS-TIM-032
// class: time
// tries: call the host for ever
// expect: error DeadlineExceeded BudgetExceeded ResourceExhausted

for (;;) core.uuid();
