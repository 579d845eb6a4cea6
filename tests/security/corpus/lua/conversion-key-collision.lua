-- id: LUA-CON-013
-- class: conversion
-- tries: pass keys that collide when they become text
-- expect: value "safe" | error ConversionError BridgeCallError

local ok, got = pcall(data.clone, {[1] = "a", ["1"] = "b", x = 1})
return "safe"
