-- id: LUA-CRA-015
-- class: crash
-- tries: malformed patterns
-- expect: value "done"

for _, p in ipairs({"%", "[", "[a", "%b", "%f", "(", ")", "%1", "[%", "(()", "%z%"}) do pcall(string.find, "abc", p) end
return "done"
