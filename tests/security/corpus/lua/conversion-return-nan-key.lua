-- id: LUA-CON-007
-- class: conversion
-- tries: return a table with an infinite key
-- expect: error ConversionError

return {[1/0] = 1, x = 2}
