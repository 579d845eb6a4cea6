-- id: LUA-CRA-018
-- class: crash
-- tries: malformed UTF-8
-- expect: value "done"

for _, s in ipairs({"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80"}) do pcall(utf8.len, s) pcall(utf8.codepoint, s, 1, -1) for _ in pcall(utf8.codes, s) and ipairs({}) or ipairs({}) do end end
return "done"
