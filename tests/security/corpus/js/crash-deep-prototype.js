// id: JS-CRA-011
// class: crash
// tries: return an object of endless prototypes
// expect: error ScriptRuntimeError ConversionError MemoryExceeded | value {} | error DeadlineExceeded

let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); return o;
