// id: JS-ESC-043
// class: escape
// tries: forge a handle to an object of the host
// expect: value "safe"

for (const fake of [{ id: 1 }, { "\u0001": ["h", 1] }, { $ref: 1 }, Object.assign(() => 1, { id: 1 })]) {
  const back = data.clone(typeof fake === "function" ? [1] : fake);
  if (typeof back === "function") return "ESCAPED";
}
return "safe";
