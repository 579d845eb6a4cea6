-- id: LUA-CRA-017
-- class: crash
-- tries: malformed pack formats
-- expect: value "done"

for _, f in ipairs({"i17", "s99", "!99", "Xz", "z\0", "j" .. ("j"):rep(100000)}) do pcall(string.pack, f, 1) pcall(string.unpack, f, "x") end
return "done"
