// id: JS-CRA-021
// class: crash
// tries: shrink a buffer while it is sorted
// expect: value "safe"

const b = new ArrayBuffer(800, { maxByteLength: 1600 }); const a = new Uint8Array(b); a.sort(() => { b.resize(0); return 0 }); return "safe";
