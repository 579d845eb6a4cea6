-- id: LUA-ESC-009
-- class: escape
-- tries: load a native library
-- expect: value "safe"

if package and package.loadlib then return "ESCAPED" end
return "safe"
