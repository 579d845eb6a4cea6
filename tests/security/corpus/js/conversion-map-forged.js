// id: JS-CON-014
// class: conversion
// tries: forge a Map by its prototype
// expect: value "safe"

data.clone(Object.setPrototypeOf({}, Map.prototype)); return "safe";
