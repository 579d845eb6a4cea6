// id: JS-PRO-009
// class: protocol
// tries: construct a function of a bridge
// expect: value "safe"

try { new core.uuid(); return "ESCAPED" } catch { return "safe" }
