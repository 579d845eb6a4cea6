// id: JS-ESC-023
// class: escape
// tries: call a bridge that is not there
// expect: value "safe"

try { require("sys").exec("id"); return "ESCAPED" } catch { return "safe" }
