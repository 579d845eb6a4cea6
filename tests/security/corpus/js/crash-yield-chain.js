// id: JS-CRA-033
// class: crash
// tries: generators that yield one another, deeper than the stack
// expect: value "safe" | error MemoryExceeded DeadlineExceeded

let g = (function* () { yield 1 })(); for (let i = 0; i < 2e4; i++) { const inner = g; g = (function* () { yield* inner })() }
try { return String(g.next().value) } catch (e) { return e instanceof RangeError ? "safe" : String(e) }
