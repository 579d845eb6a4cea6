// id: JS-CON-009
// class: conversion
// tries: return a promise inside of a value
// expect: error ConversionError

return { a: Promise.resolve(1) };
