-- id: LUA-ESC-015
-- class: escape
-- tries: find the table lupa leaves behind
-- expect: value "safe"

if python then return "ESCAPED" end
return "safe"
