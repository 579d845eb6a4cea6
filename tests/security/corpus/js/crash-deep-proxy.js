// id: JS-CRA-012
// class: crash
// tries: return a proxy of a proxy of a proxy
// expect: error ScriptRuntimeError ConversionError | value {} | error DeadlineExceeded

let p = {}; for (let i = 0; i < 1e4; i++) p = new Proxy(p, {}); return p;
