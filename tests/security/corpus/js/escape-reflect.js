// id: JS-ESC-042
// class: escape
// tries: catch calls of the glue by Reflect
// expect: value "safe"

let caught = 0;
for (const name of Reflect.ownKeys(Reflect)) if (typeof name === "string") Reflect[name] = () => { caught++ };
for (const name of Object.getOwnPropertyNames(Object)) {
  if (typeof Object[name] === "function") try { Object[name] = () => { caught++ } } catch {}
}
const id = core.uuid();
return caught === 0 && id.length === 36 ? "safe" : "ESCAPED";
