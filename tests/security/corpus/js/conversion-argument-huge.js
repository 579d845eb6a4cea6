// id: JS-CON-012
// class: conversion
// tries: pass a value of very many parts
// expect: value "safe" | error MemoryExceeded DeadlineExceeded

try { data.clone(Array.from({ length: 1.2e6 }, () => 0)); return "ESCAPED" } catch { return "safe" }
