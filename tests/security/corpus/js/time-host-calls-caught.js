// id: JS-TIM-033
// class: time
// tries: call the host for ever and catch what it says
// expect: error DeadlineExceeded BudgetExceeded ResourceExhausted

for (;;) { try { core.nope() } catch {} }
