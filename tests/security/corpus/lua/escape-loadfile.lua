-- id: LUA-ESC-014
-- class: escape
-- tries: load a file
-- expect: value "safe"

if loadfile then return "ESCAPED" end
return "safe"
