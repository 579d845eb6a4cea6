// id: JS-MEM-014
// class: memory
// tries: make symbols
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (let i = 0; ; i++) a.push(Symbol("x".repeat(100) + i));
