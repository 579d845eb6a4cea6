-- id: LUA-CRA-011
-- class: crash
-- tries: nest functions in a source
-- expect: value null | error ScriptRuntimeError MemoryExceeded

return load(("return function() "):rep(10000) .. (" end"):rep(10000))
