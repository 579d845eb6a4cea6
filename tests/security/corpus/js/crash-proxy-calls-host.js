// id: JS-CRA-003
// class: crash
// tries: call the host from every trap of a proxy
// expect: value "safe" | error ConversionError

const traps = {};
for (const name of Object.getOwnPropertyNames(Reflect)) traps[name] = (...args) => { core.uuid(); return Reflect[name](...args) };
return new Proxy(["safe"], traps)[0];
