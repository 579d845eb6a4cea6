// id: JS-CRA-005
// class: crash
// tries: return an array nested very deep
// expect: error ConversionError MemoryExceeded DeadlineExceeded

let a = []; for (let i = 0; i < 3e5; i++) a = [a]; return a;
