-- /// spell
-- name = "progress"
-- description = "Ask a model several questions at once, and show how far it is."
-- permissions = ["llm"]
--
-- [parameters.countries]
-- type = "list"
-- default = ["France", "Italy", "Japan", "Germany"]
-- description = "Whose capital to ask for"
-- ///

local llm = require("llm")

local questions = {}
for at, country in ipairs(params.countries) do
  questions[at] = ("What is the capital of %s? Answer in one word."):format(country)
end

-- A terminal shows a bar by itself; a spell that wants to know more listens.
local reports, furthest = 0, 0
local answers = llm.batch_process(questions, {
  concurrency = 2,
  temperature = 0,
  max_tokens = 12,
  on_progress = function(fraction, message)
    print(("%3.0f%%  %s"):format(fraction * 100, message))
    reports, furthest = reports + 1, fraction
  end,
})

for at, country in ipairs(params.countries) do
  print(country .. ": " .. answers[at])
end

return { answers = #answers, reports = reports, furthest = furthest }
