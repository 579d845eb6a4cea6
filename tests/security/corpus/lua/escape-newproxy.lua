-- id: LUA-ESC-017
-- class: escape
-- tries: make a userdata
-- expect: value "safe"

if newproxy then return "ESCAPED" end
return "safe"
