// id: JS-CRA-026
// class: crash
// tries: use halves of surrogate pairs everywhere
// expect: error ScriptRuntimeError

const f = { ["\ud800"]() { throw new Error("\udfff") } }; data.clone({ "\ud800": "\udc00" }); f["\ud800"]();
