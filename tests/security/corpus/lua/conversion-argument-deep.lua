-- id: LUA-CON-010
-- class: conversion
-- tries: pass a very deep table to the host
-- expect: value "safe"

local t = {}
for i = 1, 100000 do t = {t} end
local ok = pcall(data.clone, t)
return ok and "ESCAPED" or "safe"
