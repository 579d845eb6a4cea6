-- id: LUA-CRA-014
-- class: crash
-- tries: too many captures
-- expect: value false

return (pcall(string.find, "a", ("()"):rep(100)))
