// id: JS-CON-020
// class: conversion
// tries: let a Map grow while it is converted
// expect: value {"a": {"x": 1}} | error MemoryExceeded DeadlineExceeded ConversionError

const m = new Map();
const grow = { get x() { m.set("k" + m.size, grow); return 1 } };
m.set("a", grow);
return m;
