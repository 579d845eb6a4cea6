// id: JS-MEM-004
// class: memory
// tries: double a text
// expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

let s = "x"; for (;;) s = s.repeat(2);
