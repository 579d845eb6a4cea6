// id: JS-MEM-003
// class: memory
// tries: make texts for ever
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (let i = 0; ; i++) a.push("x".repeat(1000) + i);
