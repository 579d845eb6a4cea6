// id: JS-PRO-013
// class: protocol
// tries: leave very many rejections unhandled
// expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded

for (let i = 0; i < 20000; i++) Promise.reject(new Error("x" + i)); return "ESCAPED";
