-- id: LUA-STA-009
-- class: state
-- tries: wrap pcall so that the engine uses the wrapped one
-- expect: value "safe"

local real = pcall
pcall = function(...) return real(...) end
error = function() end
select = nil
type = nil
return "safe"
