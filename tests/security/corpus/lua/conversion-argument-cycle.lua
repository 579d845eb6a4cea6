-- id: LUA-CON-009
-- class: conversion
-- tries: pass a cycle to the host
-- expect: value "safe"

local t = {}
t.self = t
local ok = pcall(data.clone, t)
return ok and "ESCAPED" or "safe"
