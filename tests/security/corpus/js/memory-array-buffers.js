// id: JS-MEM-008
// class: memory
// tries: take many buffers
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (;;) a.push(new Uint8Array(1e6));
