// id: JS-CRA-004
// class: crash
// tries: call the host while a rejection is converted
// expect: error ScriptRuntimeError

Promise.reject({ toString() { core.uuid(); return "x" } }); return 1;
