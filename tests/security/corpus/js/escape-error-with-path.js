// id: JS-ESC-031
// class: escape
// tries: learn a path of the host from an error
// expect: value "safe"

for (const work of [() => data.parseJson("{"), () => require("./nope.js"), () => core.nope(), () => fs.read("x")]) {
  try { await work() } catch (e) { if (/\/(usr|home|root|work|tmp)\b|\.py\b|Traceback/.test(e.message + e.stack)) return "ESCAPED" }
}
return "safe";
