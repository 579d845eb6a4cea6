// id: JS-MEM-001
// class: memory
// tries: fill an array
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (;;) a.push(a.length);
