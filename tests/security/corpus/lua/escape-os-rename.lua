-- id: LUA-ESC-004
-- class: escape
-- tries: rename a file
-- expect: value "safe"

if os and os.rename then return "ESCAPED" end
return "safe"
