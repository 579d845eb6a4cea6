// id: JS-CON-017
// class: conversion
// tries: reset the counts and marks of a value by calling the host from one of its getters
// expect: value "safe"

const big = { date: new Date(5), int: 2n ** 70n, get again() { data.clone([[[1]]]); return 1 }, end: 2n ** 71n };
const copy = data.clone(big);
const same = copy.date instanceof Date && +copy.date === 5 && copy.int === big.int && copy.end === big.end;
const many = Array(600_000).fill(0);
let refused = false;
try { data.clone([many, { get again() { data.clone(1); return many } }]) } catch (e) { refused = e.code === "conversion" }
return same && refused ? "safe" : { same, refused };
