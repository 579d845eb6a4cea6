// id: JS-CRA-001
// class: crash
// tries: call the host while what is thrown is converted
// expect: error ScriptRuntimeError

throw { toString() { core.uuid(); return "x" }, get stack() { core.uuid() } };
