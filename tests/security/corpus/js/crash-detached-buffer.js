// id: JS-CRA-020
// class: crash
// tries: return a detached buffer
// expect: error ScriptRuntimeError ConversionError

const b = new ArrayBuffer(8); b.transfer(); return new Uint8Array(b);
