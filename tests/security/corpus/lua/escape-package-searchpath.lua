-- id: LUA-ESC-010
-- class: escape
-- tries: look at the file system
-- expect: value "safe"

if package and package.searchpath then return "ESCAPED" end
return "safe"
