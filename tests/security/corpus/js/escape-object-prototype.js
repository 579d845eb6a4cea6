// id: JS-ESC-035
// class: escape
// tries: pollute Object.prototype for options of the glue
// expect: value "safe"

for (const key of ["get", "set", "value", "writable", "kind", "fault", "isAsync", "then", "toJSON", "0", "\u0001"]) {
  try { Object.prototype[key] = () => "forged" } catch {}
  try { Object.defineProperty(Object.prototype, key, { get() { return "forged" }, configurable: true }) } catch {}
}
return core.uuid().length === 36 && data.clone({ a: 1 }).a === 1 ? "safe" : "ESCAPED";
