// id: JS-CRA-024
// class: crash
// tries: lengthen an array while it is read
// expect: value "safe"

const a = [{ get x() { for (let i = 0; i < 1e4; i++) a.push(i); return 1 } }]; data.clone(a); return "safe";
