// id: JS-PRO-003
// class: protocol
// tries: call the host when the run has ended
// expect: value "safe"

setTimeout(() => core.uuid(), 0); return "safe";
