// id: JS-CON-011
// class: conversion
// tries: pass a value nested very deep
// expect: value "safe" | error DeadlineExceeded

let a = []; for (let i = 0; i < 1e5; i++) a = [a]; try { data.clone(a); return "ESCAPED" } catch { return "safe" }
