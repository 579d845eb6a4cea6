// id: JS-ESC-012
// class: escape
// tries: require ./../secret.js from outside of the spell
// expect: value "safe"

try { require("./../secret.js"); return "ESCAPED" } catch { return "safe" }
