-- id: LUA-CON-003
-- class: conversion
-- tries: return a function
-- expect: error ConversionError

return function() end
