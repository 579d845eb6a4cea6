// id: JS-MEM-010
// class: memory
// tries: keep promises
// expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ScriptRuntimeError ResourceExhausted

const a = []; for (;;) a.push(new Promise(() => {}));
