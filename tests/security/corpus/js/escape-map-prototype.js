// id: JS-ESC-038
// class: escape
// tries: catch pending calls by Map.prototype
// expect: value "safe"

let caught = 0;
for (const name of ["get", "set", "delete", "has", "forEach"]) {
  Map.prototype[name] = function () { caught++ };
  WeakMap.prototype[name] = function () { caught++ };
}
await core.sleep(0);
return caught === 0 ? "safe" : "ESCAPED";
