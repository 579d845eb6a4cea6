-- id: LUA-CPU-010
-- class: time
-- tries: loop while a variable is closed
-- expect: error DeadlineExceeded

do
  local x <close> = setmetatable({}, {__close = function() while true do end end})
end
