// id: JS-PRO-005
// class: protocol
// tries: clear timers that are not there
// expect: value "safe"

for (const id of [0, -1, 1e9, NaN, "1", null, {}, undefined]) { clearTimeout(id); clearInterval(id) } return "safe";
