-- id: LUA-OUT-005
-- class: output
-- tries: print a value whose __tostring loops
-- expect: error DeadlineExceeded

print(setmetatable({}, {__tostring = function() while true do end end}))
