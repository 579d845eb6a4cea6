// id: JS-ESC-053
// class: escape
// tries: have the stack of an error set on something else
// expect: value "safe"

const { set, get } = Object.getOwnPropertyDescriptor(Error.prototype, "stack");
set.call(globalThis, "x"); set.call(Error.prototype, () => "y");
return globalThis.stack === "x" && Error.prototype.stack === undefined && get.call({}) === undefined ? "safe" : "ESCAPED";
