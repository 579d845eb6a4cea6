-- id: LUA-CON-006
-- class: conversion
-- tries: return a table whose metamethods loop
-- expect: value [1] | error DeadlineExceeded ConversionError

return setmetatable({1}, {__index = function() while true do end end, __len = function() while true do end end, __pairs = function() while true do end end})
