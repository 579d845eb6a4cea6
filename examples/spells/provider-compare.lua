-- /// spell
-- name = "provider-compare"
-- description = "Ask several models the same questions at once, and compare answers, time, tokens and cost."
-- permissions = ["llm"]
--
-- [parameters.models]
-- type = "list"
-- default = []
-- description = "Models to compare, e.g. openai:gpt-4o,local; every configured provider if none is named"
--
-- [parameters.questions]
-- type = "list"
-- default = ["What is the capital of France? Answer in one sentence.", "What is 7 + 5? Answer with the number."]
-- description = "What to ask"
-- ///

local llm = require("llm")

local models = #params.models > 0 and params.models or llm.list_providers()
local totals = {}
for _, model in ipairs(models) do
  totals[model] = { answered = 0, seconds = 0, tokens = 0, cost = 0 }
end

local function add(total, answer)
  total.answered = total.answered + 1
  total.seconds = total.seconds + answer.duration
  total.tokens = total.tokens + answer.usage.total_tokens
  -- A price that is not known makes the sum unknown; it is not zero.
  total.cost = total.cost and answer.usage.cost_known and total.cost + answer.usage.cost
end

local comparison = {}
for _, question in ipairs(params.questions) do
  print(question)
  local answers = llm.compare_providers(question, models, { temperature = 0, max_tokens = 60 })
  for _, answer in ipairs(answers) do
    if answer.success then
      add(totals[answer.provider], answer)
      print(("  %-12s %s"):format(answer.provider, answer.response:gsub("%s+", " ")))
    else
      print(("  %-12s failed: %s"):format(answer.provider, answer.error.message))
    end
  end
  comparison[#comparison + 1] = { question = question, answers = answers }
end

print(("\n%-14s %8s %8s %8s %10s"):format("MODEL", "ANSWERED", "SECONDS", "TOKENS", "COST"))
for _, model in ipairs(models) do
  local total = totals[model]
  local cost = total.cost and ("$%.4f"):format(total.cost) or "unknown"
  print(("%-14s %8d %8.2f %8d %10s"):format(model, total.answered, total.seconds, total.tokens, cost))
end

return comparison
