// id: JS-CON-008
// class: conversion
// tries: return a function that outlives the run
// expect: error ConversionError ScriptRuntimeError

return [() => 1].concat(Symbol("x"));
