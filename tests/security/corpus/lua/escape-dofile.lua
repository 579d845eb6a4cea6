-- id: LUA-ESC-012
-- class: escape
-- tries: run a file
-- expect: value "safe"

if dofile then return "ESCAPED" end
return "safe"
