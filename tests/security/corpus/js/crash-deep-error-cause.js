// id: JS-CRA-010
// class: crash
// tries: throw an error with endless causes
// expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded

let e = new Error("x"); for (let i = 0; i < 1e5; i++) e = new Error("y", { cause: e }); throw e;
