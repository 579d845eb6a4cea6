-- id: LUA-ESC-037
-- class: escape
-- tries: end the host process
-- expect: error ScriptExitError

os.exit(3)
return "ESCAPED"
