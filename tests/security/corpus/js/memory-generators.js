// id: JS-MEM-013
// class: memory
// tries: keep generators
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (;;) { const g = (function* () { yield new Array(100) })(); g.next(); a.push(g) }
