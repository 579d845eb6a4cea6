-- id: LUA-ESC-011
-- class: escape
-- tries: use the debug library
-- expect: value "safe"

if debug and (debug.getregistry or debug.sethook) then return "ESCAPED" end
return "safe"
