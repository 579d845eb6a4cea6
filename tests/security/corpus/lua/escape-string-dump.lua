-- id: LUA-ESC-017
-- class: escape
-- tries: make bytecode
-- expect: value "safe"

if string.dump then return "ESCAPED" end
return "safe"
