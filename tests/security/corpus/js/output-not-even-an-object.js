// id: JS-OUT-007
// class: output
// tries: have output made of a symbol
// expect: error ScriptRuntimeError

Array.prototype.join = () => Symbol("no text");
console.write("x");
