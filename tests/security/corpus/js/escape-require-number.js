// id: JS-ESC-019
// class: escape
// tries: require something that is no name
// expect: value "safe"

for (const name of [1, null, undefined, {}, [], Symbol("s"), () => 1]) {
  try { require(name); return "ESCAPED" } catch {}
}
return "safe";
