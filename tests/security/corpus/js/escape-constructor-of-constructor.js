// id: JS-ESC-002
// class: escape
// tries: reach a wider scope through the constructor of a bridge function
// expect: value "safe"

const F = core.uuid.constructor.constructor;
const g = F("return globalThis")();
return g === globalThis && typeof g.process === "undefined" && typeof g.std === "undefined" ? "safe" : "ESCAPED";
