-- id: LUA-OUT-004
-- class: output
-- tries: print terminal control sequences
-- expect: value "safe"

print("\27[2J\27]0;owned\7\0\xff")
return "safe"
