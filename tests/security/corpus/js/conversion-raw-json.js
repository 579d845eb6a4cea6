// id: JS-CON-019
// class: conversion
// tries: say JSON that the host would read as its own marks
// expect: value "safe"

const raw = JSON.rawJSON('"\\u0001"');
const back = data.clone({ a: raw });
return back.a.rawJSON === '"\\u0001"' ? "safe" : "ESCAPED";
