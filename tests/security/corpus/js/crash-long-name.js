// id: JS-CRA-029
// class: crash
// tries: define a function with an endless name
// expect: error ScriptRuntimeError DeadlineExceeded

const name = "x".repeat(1e6); ({ [name]() { throw new Error("y") } })[name]();
