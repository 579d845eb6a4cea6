// id: JS-CRA-025
// class: crash
// tries: change an array in its own methods
// expect: value "safe"

const a = Array.from({ length: 1000 }, (_, i) => i); a.map((x) => { a.splice(0, 500); return x }); a.sort(() => { a.length = 0; return 1 }); return "safe";
