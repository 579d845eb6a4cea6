// id: JS-MEM-011
// class: memory
// tries: compile large expressions
// expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ScriptRuntimeError ResourceExhausted

const a = []; for (let i = 0; ; i++) a.push(new RegExp("(a|b)".repeat(500) + i));
