// id: JS-CRA-019
// class: crash
// tries: throw null
// expect: error ScriptRuntimeError

throw null;
