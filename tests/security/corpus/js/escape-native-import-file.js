// id: JS-ESC-008
// class: escape
// tries: import a file by the engine itself
// expect: value "safe"

try { await eval("import('/etc/passwd')"); return "ESCAPED" } catch { return "safe" }
