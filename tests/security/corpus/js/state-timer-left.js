// id: JS-STA-006
// class: state
// tries: leave a timer behind
// expect: value "safe"

const t = setTimeout(() => { globalThis.left = 1 }, 10000); clearTimeout(t); return globalThis.left ? "ESCAPED" : "safe";
