// id: JS-CON-005
// class: conversion
// tries: return a getter that changes its mind
// expect: value "safe" | error ConversionError ScriptRuntimeError

let n = 0; const o = { get a() { return n++ === 0 ? 1 : Symbol() } }; data.clone(o); return "safe";
