-- id: LUA-CRA-019
-- class: crash
-- tries: resume and close the running coroutine
-- expect: value "done" | error ScriptRuntimeError

local co = coroutine.running()
local ok = pcall(coroutine.resume, co)
pcall(coroutine.close, co)
return "done"
