// id: JS-ESC-040
// class: escape
// tries: see promises of the glue by a changed constructor
// expect: value "safe"

let caught = 0;
try { globalThis.Promise = function () { caught++ } } catch {}
try { Object.defineProperty(core.sleep(0), "constructor", { get() { caught++ } }) } catch {}
await core.sleep(0);
return typeof caught === "number" ? "safe" : "ESCAPED";
