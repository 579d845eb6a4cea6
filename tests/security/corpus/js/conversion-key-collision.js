// id: JS-CON-006
// class: conversion
// tries: return a map whose keys become the same text
// expect: error ConversionError

return new Map([[1, 1], ["1", 2]]);
