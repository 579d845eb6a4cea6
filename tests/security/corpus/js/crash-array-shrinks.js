// id: JS-CRA-023
// class: crash
// tries: shorten an array while it is read
// expect: value "safe"

const a = [1, { get x() { a.length = 0; return "safe" } }, 3]; data.clone(a); return "safe";
