// id: JS-MEM-018
// class: memory
// tries: keep very many URLs
// expect: error MemoryExceeded DeadlineExceeded

const a = []; for (let i = 0; ; i++) a.push(new URL("http://a/" + i + "?" + "x".repeat(1000)));
