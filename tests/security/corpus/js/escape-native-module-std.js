// id: JS-ESC-006
// class: escape
// tries: import the own std module of the engine
// expect: value "safe"

try { await eval("import('std')"); return "ESCAPED" } catch { return "safe" }
