// id: JS-CRA-007
// class: crash
// tries: read a very deep JSON text
// expect: error ScriptRuntimeError DeadlineExceeded

return JSON.parse("[".repeat(2e5) + "]".repeat(2e5));
