// id: JS-MEM-007
// class: memory
// tries: take one large buffer
// expect: error MemoryExceeded ScriptRuntimeError DeadlineExceeded

return new ArrayBuffer(2 ** 30);
