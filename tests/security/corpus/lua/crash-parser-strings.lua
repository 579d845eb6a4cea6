-- id: LUA-CRA-013
-- class: crash
-- tries: an unfinished long string
-- expect: value null

return load("return [" .. ("="):rep(1000000) .. "[")
