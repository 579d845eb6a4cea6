// id: JS-CON-022
// class: conversion
// tries: bring __proto__ in from the host and out again
// expect: value "safe"

const back = data.clone(JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}'));
return ({}).polluted === undefined && Object.hasOwn(back, "__proto__") && back.polluted === undefined ? "safe" : "ESCAPED";
