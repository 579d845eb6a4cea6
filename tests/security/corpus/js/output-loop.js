// id: JS-OUT-001
// class: output
// tries: print for ever
// expect: error OutputExceeded

for (;;) console.log("x".repeat(100));
