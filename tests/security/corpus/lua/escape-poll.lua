-- id: LUA-ESC-020
-- class: escape
-- tries: find the poll function of the hook
-- expect: value "safe"

if poll then return "ESCAPED" end
return "safe"
