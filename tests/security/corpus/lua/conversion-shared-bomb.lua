-- id: LUA-CON-014
-- class: conversion
-- tries: pass a value that doubles at every level when copied
-- expect: error ScriptRuntimeError ConversionError MemoryExceeded DeadlineExceeded BridgeCallError

local t = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
for i = 1, 40 do t = {t, t} end
return data.clone(t)
