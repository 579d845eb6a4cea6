// id: JS-CON-013
// class: conversion
// tries: forge a Date by its prototype
// expect: value "safe" | error ScriptRuntimeError

return data.clone(Object.create(Date.prototype)) && "safe";
