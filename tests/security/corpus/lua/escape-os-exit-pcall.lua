-- id: LUA-ESC-038
-- class: escape
-- tries: catch the end of the script and go on
-- expect: error ScriptExitError

pcall(os.exit, 3)
while true do end
