// id: JS-ESC-014
// class: escape
// tries: require ./a\u0000.js from outside of the spell
// expect: value "safe"

try { require("./a\u0000.js"); return "ESCAPED" } catch { return "safe" }
