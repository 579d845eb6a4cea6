-- id: LUA-CON-005
-- class: conversion
-- tries: return more than the limit
-- expect: error ConversionError MemoryExceeded ResourceExhausted DeadlineExceeded

local t = {}
for i = 1, 3000000 do t[i] = i end
return t
