// id: JS-ESC-018
// class: escape
// tries: import a file from outside of the spell
// expect: value "safe"

try { await import("../../../../../../etc/hosts"); return "ESCAPED" } catch { return "safe" }
