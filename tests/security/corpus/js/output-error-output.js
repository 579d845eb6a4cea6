// id: JS-OUT-003
// class: output
// tries: print errors for ever
// expect: error OutputExceeded

for (;;) console.error("x".repeat(100));
