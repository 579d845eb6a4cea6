-- id: LUA-ESC-013
-- class: escape
-- tries: load a file
-- expect: value "safe"

if loadfile then return "ESCAPED" end
return "safe"
