// id: JS-CON-015
// class: conversion
// tries: forge a typed array by its prototype
// expect: value "safe"

data.clone(Object.setPrototypeOf({ length: 1e9 }, Uint8Array.prototype)); return "safe";
