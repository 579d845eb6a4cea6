// id: JS-PRO-006
// class: protocol
// tries: drop calls of others by clearing timers
// expect: value "safe"

const p = core.sleep(0.01); for (let i = 0; i < 100; i++) clearTimeout(i); await p; return "safe";
