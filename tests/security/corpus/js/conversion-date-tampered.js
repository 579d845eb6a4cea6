// id: JS-CON-018
// class: conversion
// tries: have a Date lie about its time, or reach what the host's years cannot hold
// expect: value "safe"

class Liar extends Date {
  get [Symbol.toStringTag]() { return "Liar" }
  getTime() { return 8.64e15 }
  valueOf() { throw this }
  toJSON() { return { constructor: "forged" } }
}
Date.prototype.getTime = Date.prototype.valueOf = () => NaN;
const copy = data.clone(new Liar(5));
const far = [8.64e15, -8.64e15, 253402300800000, -62135596800001, NaN].filter((time) => {
  try { data.clone([new Date(time)]); return true } catch (e) { return e.code !== "conversion" }
});
return copy.toISOString() === "1970-01-01T00:00:00.005Z" && far.length === 0 ? "safe" : { copy, far };
