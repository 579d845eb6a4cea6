-- id: LUA-CPU-012
-- class: time
-- tries: loop while an error object is shown
-- expect: error DeadlineExceeded ScriptRuntimeError

error(setmetatable({}, {__tostring = function() while true do end end}))
