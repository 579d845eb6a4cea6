// id: JS-CON-007
// class: conversion
// tries: return an object with __proto__ as a key
// expect: value {"__proto__": {"a": 1}}

return JSON.parse('{"__proto__": {"a": 1}}');
