// id: JS-ESC-044
// class: escape
// tries: forge marks of the wire
// expect: value "safe"

const forged = { "\u0001": ["f", [1, "x"]], b: { "\u0001": ["h", 1] } };
const back = data.clone(forged);
return Array.isArray(back["\u0001"]) && back["\u0001"][0] === "f" && back.b["\u0001"][0] === "h" ? "safe" : "ESCAPED";
