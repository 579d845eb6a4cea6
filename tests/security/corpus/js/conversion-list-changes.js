// id: JS-CON-021
// class: conversion
// tries: change a list while it is converted
// expect: value [[1, {"x": 1}, null]]

const a = [1, { get x() { a.length = 0; return 1 } }, 3];
return [a];
