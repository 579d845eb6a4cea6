// id: JS-ESC-056
// class: escape
// tries: bend what the parts of the glue are made with before they are
// expect: value "safe"

const seen = [], { filter } = Array.prototype;
const { defineProperty, getOwnPropertyDescriptor } = Object;
Object.defineProperty = (target, key, what) => { seen[seen.length] = target; return defineProperty(target, key, what) };
Object.getOwnPropertyDescriptor = (target, key) => { seen[seen.length] = target; return getOwnPropertyDescriptor(target, key) };
for (const name of ["map", "filter", "push", "join", "concat"]) { const own = Array.prototype[name]; Array.prototype[name] = function (...args) { seen[seen.length] = this; for (const arg of args) seen[seen.length] = arg; return own.apply(this, args) } }
new URL("http://a/?b=c").href; structuredClone([1]); console.log([1], { a: 1 }); new TextDecoder().decode(new Uint8Array(2)); setTimeout(() => 1, 0);
const leaked = filter.call(seen, (it) => it !== null && typeof it === "object" && ("host" in it || "emit" in it || "functions" in it));
return leaked.length === 0 ? "safe" : "ESCAPED";
