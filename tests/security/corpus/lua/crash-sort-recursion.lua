-- id: LUA-CRA-008
-- class: crash
-- tries: recurse through sort comparators
-- expect: error ScriptRuntimeError MemoryExceeded DeadlineExceeded ResourceExhausted

local function f()
  local t = {3, 2, 1}
  table.sort(t, function(a, b) f() return a < b end)
end
f()
