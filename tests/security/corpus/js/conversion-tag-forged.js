// id: JS-CON-016
// class: conversion
// tries: lie about what an object is
// expect: value "safe"

data.clone({ [Symbol.toStringTag]: "Map" }); data.clone({ get [Symbol.toStringTag]() { return "Date" } }); return "safe";
