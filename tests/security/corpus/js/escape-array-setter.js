// id: JS-ESC-036
// class: escape
// tries: catch values of the glue by setters on Array.prototype
// expect: value "safe"

let caught = 0;
for (let i = 0; i < 10; i++) {
  try { Object.defineProperty(Array.prototype, i, { set() { caught++ }, get() { caught++ }, configurable: true }) } catch {}
}
data.clone([[1], [2]]);
return caught === 0 ? "safe" : "ESCAPED";
