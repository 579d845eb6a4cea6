-- id: LUA-ESC-002
-- class: escape
-- tries: read the environment
-- expect: value "safe"

if os and os.getenv then return "ESCAPED" end
return "safe"
