-- id: LUA-ESC-016
-- class: escape
-- tries: make bytecode
-- expect: value "safe"

if string.dump then return "ESCAPED" end
return "safe"
