-- id: LUA-CON-004
-- class: conversion
-- tries: return a coroutine
-- expect: error ConversionError

return coroutine.create(function() end)
