-- /// spell
-- name = "race-providers"
-- description = "Ask two providers at once, take the first answer, and give up on both after five seconds."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of paragraphs"
-- ///

local fs = require("fs")

local review = fs.read(params.file):match("^(.-)\n%s*\n")

-- Two providers that need no network: one takes its time, the other one is quick.
local function thorough(text)
  async.sleep(3)
  return { provider = "thorough", answer = text }
end

local function quick(text)
  async.sleep(0.01)
  return { provider = "quick", answer = text:match("^[^.]*%.") }
end

local first = async.timeout(5, function()
  return async.race({
    function() return thorough(review) end,
    function() return quick(review) end,
  })
end)

print(first.provider .. ": " .. first.answer)
return first
