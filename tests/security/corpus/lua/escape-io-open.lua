-- id: LUA-ESC-007
-- class: escape
-- tries: open a file
-- expect: value "safe"

if io and io.open then return "ESCAPED" end
return "safe"
