-- /// spell
-- name = "fan-out-fan-in"
-- description = "Give every paragraph of a text to a task of its own, at most four at once, and put the answers together."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of paragraphs"
-- ///

local fs = require("fs")

local paragraphs = {}
for paragraph in (fs.read(params.file) .. "\n\n"):gmatch("(.-)\n%s*\n") do
  paragraphs[#paragraphs + 1] = paragraph
end

local function measure(paragraph)
  async.sleep(0.001) -- where a spell would ask a model
  local words, longest = 0, ""
  for word in paragraph:gmatch("%a+") do
    words = words + 1
    if #word > #longest then
      longest = word
    end
  end
  return { words = words, longest = longest }
end

local measured = async.map(paragraphs, measure, { concurrency = 4 })

local total = 0
for number, one in ipairs(measured) do
  print(("%d: %d words, the longest is %s"):format(number, one.words, one.longest))
  total = total + one.words
end

return { paragraphs = #paragraphs, words = total }
