-- /// spell
-- name = "reviews"
-- description = "Read reviews, ask the model for the sentiment and a title of each, and count them."
-- permissions = ["read", "llm"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of reviews, one paragraph each"
-- ///

local fs = require("fs")
local llm = require("llm")

local function paragraphs(text)
  local found = {}
  for paragraph in (text .. "\n\n"):gmatch("(.-)\n%s*\n") do
    local flat = paragraph:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")
    if flat ~= "" then
      found[#found + 1] = flat
    end
  end
  return found
end

-- A model this small learns more from a few examples than from instructions.
local SENTIMENT = "%s\nPositive or negative?"
local TITLE = "Now give it a short title."

local conversation = {}

local function say(role, content)
  conversation[#conversation + 1] = { role = role, content = content }
end

for _, example in ipairs({
  { "The train came late and was full. I want my money back.", "negative", "A late train" },
  { "We love this bakery. The bread is warm and the people are friendly.", "positive", "A warm bakery" },
  { "The cinema was dirty and the man at the desk was rude. Never again.", "negative", "A dirty cinema" },
  { "It broke twice, and nobody answered my letters.", "negative", "Broken twice" },
}) do
  say("user", SENTIMENT:format(example[1]))
  say("assistant", example[2])
  say("user", TITLE)
  say("assistant", example[3])
end
local learned = #conversation

local function judge(review)
  say("user", SENTIMENT:format(review))
  local sentiment = llm.complete({
    messages = conversation,
    choices = { "positive", "negative" },
  })
  say("assistant", sentiment)
  say("user", TITLE)
  local title = llm.complete({
    messages = conversation,
    temperature = 0,
    max_tokens = 12,
    stop = { "\n", ".", "," },
  })
  for last = #conversation, learned + 1, -1 do
    conversation[last] = nil
  end
  return sentiment, title
end

local function first_words(text, most)
  local words = {}
  for word in text:gmatch("%S+") do
    words[#words + 1] = word
    if #words == most then
      break
    end
  end
  return table.concat(words, " ")
end

local reviews = {}
local tally = { positive = 0, negative = 0 }

print(("%-10s %s"):format("SENTIMENT", "TITLE"))
for _, text in ipairs(paragraphs(fs.read(params.file))) do
  local sentiment, title = judge(text)
  title = first_words(title, 6)
  tally[sentiment] = tally[sentiment] + 1
  reviews[#reviews + 1] = { text = text, sentiment = sentiment, title = title }
  print(("%-10s %s"):format(sentiment, title))
end
print(("\n%d positive, %d negative"):format(tally.positive, tally.negative))

return reviews
