// id: JS-ESC-055
// class: escape
// tries: reach the glue by how a value has itself shown
// expect: value "safe"

const seen = [];
console.log({ [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) { seen.push(this, options, inspect); return "x" } });
const names = Object.getOwnPropertyNames(seen[2]).filter((name) => !["length", "name", "prototype"].includes(name));
return seen.length === 3 && Object.keys(seen[1]).join() === "depth" && names.length === 0 ? "safe" : "ESCAPED";
