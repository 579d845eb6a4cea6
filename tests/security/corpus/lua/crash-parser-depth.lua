-- id: LUA-CRA-010
-- class: crash
-- tries: nest parentheses in a source
-- expect: value null | error ScriptRuntimeError

return load("return " .. ("("):rep(100000) .. "1" .. (")"):rep(100000))
