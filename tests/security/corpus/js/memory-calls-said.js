// id: JS-MEM-015
// class: memory
// tries: say calls that are never awaited
// expect: error MemoryExceeded DeadlineExceeded BudgetExceeded ScriptRuntimeError ResourceExhausted

for (;;) core.sleep(1000);
