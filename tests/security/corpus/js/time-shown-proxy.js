// id: JS-TIM-044
// class: time
// tries: show a proxy that says it has a billion items
// expect: error DeadlineExceeded MemoryExceeded

console.log(new Proxy([], { get: (list, key) => (key === "length" ? 1e9 : list[key]), has: () => false }));
for (;;);
