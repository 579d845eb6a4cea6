// id: JS-CRA-013
// class: crash
// tries: recurse without end
// expect: error ScriptRuntimeError DeadlineExceeded

function f() { f() } f();
