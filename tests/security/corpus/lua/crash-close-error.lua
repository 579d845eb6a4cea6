-- id: LUA-CRA-025
-- class: crash
-- tries: raise while closing
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

do
  local x <close> = setmetatable({}, {__close = function() error("while closing") end})
  error("first")
end
