// id: JS-OUT-004
// class: output
// tries: catch the end of output
// expect: error OutputExceeded

for (;;) { try { console.log("x".repeat(1000)) } catch {} }
