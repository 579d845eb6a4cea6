// id: JS-CON-003
// class: conversion
// tries: return an array of endless length
// expect: error ConversionError DeadlineExceeded

const a = []; a[4294967294] = 1; return a;
