// id: JS-ESC-013
// class: escape
// tries: require file:///etc/passwd from outside of the spell
// expect: value "safe"

try { require("file:///etc/passwd"); return "ESCAPED" } catch { return "safe" }
