// id: JS-CRA-030
// class: crash
// tries: ask for an endless stack trace
// expect: error ScriptRuntimeError

Error.stackTraceLimit = Infinity; function f(n) { if (n === 0) throw new Error("x"); f(n - 1) } f(500);
