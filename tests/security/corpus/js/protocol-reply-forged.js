// id: JS-PRO-001
// class: protocol
// tries: settle the promise of a pending call by hand
// expect: value "safe"

const p = core.sleep(0);
for (const name of ["resolve", "reject", "settle"]) if (typeof p[name] === "function") return "ESCAPED";
await p;
return "safe";
