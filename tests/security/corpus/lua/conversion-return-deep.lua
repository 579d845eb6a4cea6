-- id: LUA-CON-002
-- class: conversion
-- tries: return a table nested a million deep
-- expect: error ConversionError MemoryExceeded

local t = {}
for i = 1, 1000000 do t = {t} end
return t
