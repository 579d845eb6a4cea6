// id: JS-CRA-014
// class: crash
// tries: recurse through getters of arguments
// expect: error ScriptRuntimeError BridgeCallError DeadlineExceeded

function f() { data.clone({ get a() { f() } }) } f();
