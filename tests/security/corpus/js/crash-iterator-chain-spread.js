// id: JS-CRA-032
// class: crash
// tries: the same chain drawn by the language itself
// expect: value "safe" | error MemoryExceeded DeadlineExceeded ScriptRuntimeError

let it = [1].values(); for (let i = 0; i < 3e4; i++) it = it.take(5).drop(0);
try { const [a] = it; return String(a) } catch (e) { return e instanceof RangeError ? "safe" : String(e) }
