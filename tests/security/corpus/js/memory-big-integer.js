// id: JS-MEM-012
// class: memory
// tries: square an integer
// expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ScriptRuntimeError ResourceExhausted

let x = 2n ** 100000n; for (;;) x = x * x;
