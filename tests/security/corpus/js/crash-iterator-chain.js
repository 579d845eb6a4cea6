// id: JS-CRA-031
// class: crash
// tries: a chain of iterator helpers longer than the stack
// expect: value "safe" | error MemoryExceeded DeadlineExceeded ScriptRuntimeError

let it = [1].values(); for (let i = 0; i < 3e4; i++) it = it.map((x) => x);
try { it.next(); return "CRASH expected a RangeError" } catch (e) { return e instanceof RangeError ? "safe" : String(e) }
