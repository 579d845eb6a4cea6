// id: JS-OUT-005
// class: output
// tries: print something that never ends
// expect: error OutputExceeded

const p = new Proxy({}, { ownKeys: () => ["a"], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), get: (t, k) => k === "a" ? p : undefined }); for (;;) console.log(p);
