// id: JS-CON-002
// class: conversion
// tries: return a map that contains itself
// expect: error ConversionError

const m = new Map(); m.set("a", m); return m;
