// id: JS-CRA-015
// class: crash
// tries: recurse in toString of what is thrown
// expect: error ScriptRuntimeError DeadlineExceeded

const o = { toString() { return "" + o } }; throw o;
