// id: JS-ESC-017
// class: escape
// tries: require . from outside of the spell
// expect: value "safe"

try { require("."); return "ESCAPED" } catch { return "safe" }
