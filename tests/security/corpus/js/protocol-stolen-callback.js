// id: JS-PRO-014
// class: protocol
// tries: call a callback of the host twice and late
// expect: value "safe"

let kept; const p = new Promise((done) => { kept = done }); setTimeout(kept, 0, "safe"); const got = await p; kept("ESCAPED"); return got;
