// id: JS-CRA-037
// class: crash
// tries: throw from the hook that closes an iterator
// expect: value "safe"

const it = { [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }), return() { throw new Error("hook") } }) };
try { const [a] = it; return a } catch (e) { return e.message === "hook" ? "safe" : String(e) }
