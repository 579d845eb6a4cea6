// id: JS-MEM-006
// class: memory
// tries: keep closures
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (;;) { const x = new Array(10); a.push(() => x) }
