// id: JS-CRA-034
// class: crash
// tries: async functions that await themselves without end
// expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded

async function f() { return 1 + await f() }
return await f();
