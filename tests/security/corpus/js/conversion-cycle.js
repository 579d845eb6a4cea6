// id: JS-CON-001
// class: conversion
// tries: return an object that contains itself
// expect: error ConversionError

const a = {}; a.a = { b: a }; return a;
