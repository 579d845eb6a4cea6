// id: JS-PRO-004
// class: protocol
// tries: set timers with odd delays
// expect: value "safe"

for (const ms of [-1, NaN, undefined, "x", {}, -Infinity]) await new Promise((done) => setTimeout(done, ms)); return "safe";
