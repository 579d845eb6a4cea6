-- id: LUA-ESC-001
-- class: escape
-- tries: run a program
-- expect: value "safe"

if os and os.execute then return "ESCAPED" end
return "safe"
