// id: JS-MEM-019
// class: memory
// tries: clone what is cloned, again and again
// expect: error MemoryExceeded DeadlineExceeded ScriptRuntimeError

let a = [1]; for (;;) a = structuredClone([a, a.slice()]);
