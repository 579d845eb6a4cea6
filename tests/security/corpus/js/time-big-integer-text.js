// id: JS-TIM-025
// class: time
// tries: write an integer of very many digits
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

const x = 3n ** 400000n; for (;;) x.toString();
