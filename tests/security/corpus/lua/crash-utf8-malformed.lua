-- id: LUA-CRA-018
-- class: crash
-- tries: malformed UTF-8
-- expect: value "done"

for _, s in ipairs({"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80"}) do pcall(utf8.len, s) pcall(utf8.codepoint, s, 1, -1) pcall(function() for _ in utf8.codes(s) do end end) end
return "done"
