// id: JS-TIM-045
// class: time
// tries: loop where a promise asks for its species
// expect: error DeadlineExceeded

class P extends Promise { static get [Symbol.species]() { for (;;); } }
await P.resolve(1).then(() => 2);
