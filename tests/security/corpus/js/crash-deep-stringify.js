// id: JS-CRA-006
// class: crash
// tries: write an array nested very deep as JSON
// expect: error ScriptRuntimeError DeadlineExceeded

let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a);
