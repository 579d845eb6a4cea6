-- /// spell
-- name = "polyglot"
-- description = "A Lua spell that uses a JavaScript module, which calls a Lua function back."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file"
-- ///

local words = require("./words.js")

local found = words.frequent(fs.read(params.file), 5)

-- A Lua function, called by JavaScript for each word.
local lines = words.labelled(found, function(word, count)
  return string.format("%-12s %s", word, ("*"):rep(count))
end)

for _, line in ipairs(lines) do
  print(line)
end
return found
