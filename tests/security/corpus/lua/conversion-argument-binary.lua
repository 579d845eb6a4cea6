-- id: LUA-CON-012
-- class: conversion
-- tries: pass bytes that are not UTF-8 as a name
-- expect: value "safe"

local ok = pcall(function() return data["\xff\xfe"]() end)
return ok and "ESCAPED" or "safe"
