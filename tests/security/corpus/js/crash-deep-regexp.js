// id: JS-CRA-009
// class: crash
// tries: compile a very deep expression
// expect: error ScriptRuntimeError DeadlineExceeded

return new RegExp("(".repeat(2e5) + ")".repeat(2e5));
