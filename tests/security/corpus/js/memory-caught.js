// id: JS-MEM-009
// class: memory
// tries: catch the end of memory and go on
// expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ScriptRuntimeError ResourceExhausted

for (;;) { try { const a = []; for (;;) a.push([a.length]) } catch {} }
