// id: JS-ESC-037
// class: escape
// tries: catch calls of the glue by Function.prototype
// expect: value "safe"

let caught = 0;
for (const name of ["call", "apply", "bind"]) Function.prototype[name] = function () { caught++; return undefined };
Function.prototype.toString = () => { caught++; return "" };
const id = core.uuid();
return caught === 0 && id.length === 36 ? "safe" : "ESCAPED";
