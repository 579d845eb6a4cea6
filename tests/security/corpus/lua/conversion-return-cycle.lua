-- id: LUA-CON-001
-- class: conversion
-- tries: return a table that contains itself
-- expect: error ConversionError

local t = {}
t.self = t
return t
