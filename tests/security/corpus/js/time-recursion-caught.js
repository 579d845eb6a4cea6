// id: JS-TIM-003
// class: time
// tries: recurse for ever and catch it
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

function f() { try { f() } catch { f() } } for (;;) f();
