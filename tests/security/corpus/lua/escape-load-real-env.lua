-- id: LUA-ESC-023
-- class: escape
-- tries: load a chunk whose default environment is the real global table
-- expect: value "safe"

local chunk = load("return os and os.execute or debug or python or package and package.loadlib")
if chunk and chunk() then return "ESCAPED" end
return "safe"
