// id: JS-ESC-039
// class: escape
// tries: see replies by a changed Promise.prototype.then
// expect: value "safe"

let caught = 0;
try { Promise.prototype.then = function () { caught++ } } catch {}
try { Object.defineProperty(Promise.prototype, "then", { value() { caught++ } }) } catch {}
await core.sleep(0);
return caught === 0 ? "safe" : "ESCAPED";
