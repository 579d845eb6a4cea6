// id: JS-STA-007
// class: state
// tries: find the same random numbers as another run
// expect: value "safe"

const a = [Math.random(), Math.random()]; return a[0] !== a[1] ? "safe" : "ESCAPED";
