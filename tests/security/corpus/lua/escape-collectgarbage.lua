-- id: LUA-ESC-014
-- class: escape
-- tries: stop the collector
-- expect: value "safe"

if collectgarbage then return "ESCAPED" end
return "safe"
