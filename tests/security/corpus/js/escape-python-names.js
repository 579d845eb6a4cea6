// id: JS-ESC-024
// class: escape
// tries: call Python attributes of a bridge
// expect: value "safe"

for (const name of ["__class__", "__init__", "__dict__", "_name", "open", "close", "__subclasses__", "mro"]) {
  try { const got = core[name](); if (got !== undefined) return "ESCAPED" } catch {}
}
return "safe";
