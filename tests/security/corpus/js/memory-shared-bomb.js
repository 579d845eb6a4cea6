// id: JS-MEM-016
// class: memory
// tries: return a value that is small here and large there
// expect: error ConversionError MemoryExceeded DeadlineExceeded

let a = ["xxxxxxxxxxxxxxxx"]; for (let i = 0; i < 30; i++) a = [a, a]; return a;
