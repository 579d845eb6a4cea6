// id: JS-MEM-002
// class: memory
// tries: make objects for ever
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (;;) a.push({ a: [] });
