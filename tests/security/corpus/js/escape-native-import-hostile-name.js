// id: JS-ESC-009
// class: escape
// tries: throw from the conversion of a name to import
// expect: value "safe"

try { await eval("import({ toString() { throw { toString() { core.uuid() } } } })") } catch {}
return "safe";
