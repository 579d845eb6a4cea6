-- /// spell
-- name = "streaming"
-- description = "Show a model's answer as it is being written."
-- permissions = ["llm"]
--
-- [parameters.question]
-- default = "What is the capital of France? Answer in one sentence."
-- description = "What to ask"
-- ///

local llm = require("llm")

local pieces = 0
local answer = llm.stream(params.question, function(piece)
  io.write(piece)
  pieces = pieces + 1
end, { temperature = 0, max_tokens = 60 })
print()

return { answer = answer, pieces = pieces }
