-- id: LUA-STA-003
-- class: state
-- tries: overwrite library functions for the next run
-- expect: value "safe"

for _, library in ipairs({string, table, math, utf8, coroutine}) do
  for name in pairs(library) do
    library[name] = function() return "owned" end
  end
end
return "safe"
