-- id: LUA-OUT-006
-- class: output
-- tries: print a value whose __tostring gives no string
-- expect: error ScriptRuntimeError

print(setmetatable({}, {__tostring = function() return {} end}))
