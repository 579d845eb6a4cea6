// id: JS-TIM-039
// class: time
// tries: sort typed arrays for ever
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

const a = new Float64Array(1e6); for (;;) a.sort((x, y) => 0.5 - Math.random());
