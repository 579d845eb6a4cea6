// id: JS-ESC-010
// class: escape
// tries: require /etc/passwd from outside of the spell
// expect: value "safe"

try { require("/etc/passwd"); return "ESCAPED" } catch { return "safe" }
