// id: JS-STA-001
// class: state
// tries: find what another run left in the global scope
// expect: value "safe"

if (globalThis.left) return "ESCAPED"; globalThis.left = 1; return "safe";
