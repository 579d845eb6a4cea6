// id: JS-CRA-008
// class: crash
// tries: compile a very deep text
// expect: error ScriptRuntimeError DeadlineExceeded

return (0, eval)("(".repeat(2e5) + ")".repeat(2e5));
