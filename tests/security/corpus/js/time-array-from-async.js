// id: JS-TIM-041
// class: time
// tries: collect an endless array-like asynchronously
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

await Array.fromAsync({ length: 1e9 });
