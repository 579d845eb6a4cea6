// id: JS-STA-002
// class: state
// tries: find what another run left on a prototype
// expect: value "safe"

if ([].left || "".left || (1).left) return "ESCAPED"; Array.prototype.left = String.prototype.left = Number.prototype.left = 1; return "safe";
