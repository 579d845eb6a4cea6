-- id: LUA-CON-011
-- class: conversion
-- tries: pass very many arguments
-- expect: value "safe"

local many = {}
for i = 1, 200000 do many[i] = i end
local ok = pcall(function() return data.clone(table.unpack(many)) end)
return ok and "ESCAPED" or "safe"
