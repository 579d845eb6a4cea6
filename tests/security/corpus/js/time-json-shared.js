// id: JS-TIM-040
// class: time
// tries: write a structure that is shared exponentially
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

let a = ["x"]; for (let i = 0; i < 40; i++) a = [a, a]; JSON.stringify(a);
