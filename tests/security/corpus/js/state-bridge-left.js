// id: JS-STA-003
// class: state
// tries: find what another run left on a bridge
// expect: value "safe"

if (core.left) { try { core.left() } catch { } } try { core.left = 1 } catch {} return typeof core.left !== "number" ? "safe" : "ESCAPED";
