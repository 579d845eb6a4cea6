// id: JS-TIM-031
// class: time
// tries: normalise a large text again and again
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

const s = "\\u1e9b\\u0323".repeat(2e5); for (;;) s.normalize("NFKD");
