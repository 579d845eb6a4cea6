-- id: LUA-ESC-008
-- class: escape
-- tries: run a program through a pipe
-- expect: value "safe"

if io and io.popen then return "ESCAPED" end
return "safe"
