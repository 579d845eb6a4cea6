-- /// spell
-- name = "research-and-summarize"
-- description = "A researcher finds what a text says about a question, a writer sums it up and names the sources."
-- permissions = ["read", "llm"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of paragraphs"
--
-- [parameters.question]
-- default = "What did customers complain about?"
-- description = "What you want to know"
-- ///

local agent = require("agent")
local fs = require("fs")
local tools = require("tools")

local paragraphs = {}
for paragraph in (fs.read(params.file) .. "\n\n"):gmatch("(.-)\n%s*\n") do
  local text = paragraph:gsub("%s+", " "):match("^%s*(.-)%s*$")
  if text ~= "" then
    paragraphs[#paragraphs + 1] = text
  end
end

-- The researcher reads through this tool only, so all it can quote is in the file.
tools.define("search", "Find the paragraphs that share most words with a query. Each has a number to cite it by.", {
  parameters = { query = "string" },
}, function(given)
  local found = {}
  for number, text in ipairs(paragraphs) do
    local score, lower = 0, text:lower()
    for word in given.query:lower():gmatch("%a%a%a+") do
      if lower:find(word, 1, true) then
        score = score + 1
      end
    end
    if score > 0 then
      found[#found + 1] = { number = number, score = score, text = text }
    end
  end
  table.sort(found, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.number < b.number
  end)
  return array(table.move(found, 1, math.min(3, #found), 1, {}))
end)

-- This wants a model that uses tools: the one that comes along does not. Set a provider's key.
agent.create("researcher", {
  system = "Search, several times if need be. Then list what answers the question, each with its number in brackets.",
  tools = { "search" },
  max_iterations = 6,
})
agent.create("writer", { system = "Sum up the notes in three sentences. Keep the numbers in brackets: [2]." })

local work = agent.collaborate({ "researcher", "writer" }, params.question)
local summary = work.final

-- A source that does not exist is a lie; which ones do is for the spell to know, not for the model.
local cited, missing = {}, {}
for number in summary:gmatch("%[(%d+)%]") do
  local at = tonumber(number)
  local list = paragraphs[at] and cited or missing
  list[#list + 1] = at
end
print(summary)
for _, number in ipairs(cited) do
  print(("  [%d] %s..."):format(number, paragraphs[number]:sub(1, 60)))
end

return { summary = summary, cited = array(cited), missing = array(missing), searches = tools.get_metrics("search").total_calls }
