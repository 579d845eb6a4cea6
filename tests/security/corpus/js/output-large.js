// id: JS-OUT-002
// class: output
// tries: print one large text
// expect: error OutputExceeded MemoryExceeded

console.log("x".repeat(10e6)); return "ESCAPED";
