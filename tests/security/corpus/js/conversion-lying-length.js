// id: JS-CON-004
// class: conversion
// tries: return a proxy that lies about its length
// expect: error ConversionError

return new Proxy([], { get: (t, k) => (k === "length" ? 1e15 : 1) });
