-- id: LUA-ESC-005
-- class: escape
-- tries: end the process
-- expect: value "safe"

if os and os.exit then return "ESCAPED" end
return "safe"
