// id: JS-CRA-018
// class: crash
// tries: throw a symbol
// expect: error ScriptRuntimeError

throw Symbol("x");
