-- id: LUA-CON-011
-- class: conversion
-- tries: pass very many arguments
-- expect: value "safe"

local ok = pcall(function() return data.clone(table.unpack({}, 1, 200000)) end)
return ok and "ESCAPED" or "safe"
