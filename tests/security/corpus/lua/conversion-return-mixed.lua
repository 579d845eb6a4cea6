-- id: LUA-CON-008
-- class: conversion
-- tries: return a table with keys of many kinds
-- expect: error ConversionError | value {"1": 1, "x": 2, "true": 3}

return {1, x = 2, [true] = 3}
