// id: JS-CON-010
// class: conversion
// tries: pass a cycle
// expect: value "safe"

const a = []; a.push(a); try { data.clone(a); return "ESCAPED" } catch { return "safe" }
