// id: JS-PRO-002
// class: protocol
// tries: leave very many calls pending
// expect: error BudgetExceeded ScriptRuntimeError BridgeCallError DeadlineExceeded MemoryExceeded ResourceExhausted

await Promise.all(Array.from({ length: 50000 }, () => core.sleep(5)));
