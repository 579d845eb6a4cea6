// id: JS-TIM-005
// class: time
// tries: swallow the end in finally
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError

function f() { try { for (;;); } finally { return f() } } f();
