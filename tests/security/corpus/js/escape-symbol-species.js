// id: JS-ESC-041
// class: escape
// tries: run code in a job by a species that throws
// expect: value "safe"

const p = Promise.resolve(1);
p.constructor = { [Symbol.species]: function (run) { run(() => { throw { toString() { core.uuid() } } }, () => {}) } };
p.then(() => 1);
await core.sleep(0);
return "safe";
