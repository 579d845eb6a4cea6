// id: JS-PRO-012
// class: protocol
// tries: lower the limits of values by hand
// expect: value "safe"

try { limits.depth = 1e9 } catch {} return "safe";
