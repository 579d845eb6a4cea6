// id: JS-ESC-022
// class: escape
// tries: call the host itself by its target
// expect: value "safe"

try { require("@host").module("data"); return "ESCAPED" } catch { return "safe" }
