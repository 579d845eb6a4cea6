-- id: LUA-CRA-016
-- class: crash
-- tries: malformed formats
-- expect: value "done"

for _, f in ipairs({"%", "%y", "%999999d", "%.999f", "%10$d", "%*d", "%q"}) do pcall(string.format, f, 1) end
return "done"
