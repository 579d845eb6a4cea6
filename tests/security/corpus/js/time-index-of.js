// id: JS-TIM-030
// class: time
// tries: search a text quadratically
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

const h = "a".repeat(4e6), n = "a".repeat(2e6) + "b"; for (;;) h.indexOf(n);
