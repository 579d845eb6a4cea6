// id: JS-STA-008
// class: state
// tries: fill the heap and leave it to the next run
// expect: error MemoryExceeded DeadlineExceeded

globalThis.kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));
