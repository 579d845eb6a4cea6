-- id: LUA-CRA-012
-- class: crash
-- tries: declare too many locals
-- expect: value null

return load(("local a = 1\n"):rep(300))
