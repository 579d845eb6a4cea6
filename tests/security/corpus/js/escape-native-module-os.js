// id: JS-ESC-007
// class: escape
// tries: import the operating system module of the engine
// expect: value "safe"

try { await eval("import('os')"); return "ESCAPED" } catch { return "safe" }
