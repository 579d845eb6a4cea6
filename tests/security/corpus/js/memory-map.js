// id: JS-MEM-005
// class: memory
// tries: fill a map
// expect: error MemoryExceeded DeadlineExceeded

const m = new Map(); for (let i = 0; ; i++) m.set(i, "v" + i);
