// id: JS-CRA-022
// class: crash
// tries: shrink a buffer while it is filled
// expect: value "safe"

const b = new ArrayBuffer(800, { maxByteLength: 1600 }); new Uint8Array(b).fill({ valueOf() { b.resize(0); return 1 } }); return "safe";
