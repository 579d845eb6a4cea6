-- /// spell
-- name = "workflow-pipeline"
-- description = "A workflow over a file of reviews: each is judged, they are counted, and an interrupted run goes on."
-- permissions = ["read", "llm"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of reviews, one paragraph each"
--
-- [parameters.count]
-- type = "integer"
-- default = 4
-- description = "How many reviews to judge"
--
-- [parameters.checkpoint]
-- default = ""
-- description = "A directory, allowed for reading and writing, where the run is kept until it is done"
-- ///

local fs = require("fs")
local workflow = require("workflow")

-- The model that comes along only chooses here, and not always well: set a key, and a larger one is asked.
local question = [[
'It broke twice, and nobody answered my letters.' is negative.
'We love this bakery, the people are friendly.' is positive.
'The train came late. I want my money back.' is negative.
'A wonderful afternoon.' is positive.
'{{ input }}' is]]

workflow.create("judge", {
  type = "map",
  concurrency = 1, -- the model that comes along thinks of one thing at a time; others take more
  steps = {
    { id = "ask", prompt = question, options = { choices = { "positive", "negative" } }, retry = 2 },
    { id = "keep", ["function"] = function(sentiment, run)
      return { sentiment = sentiment, review = run.item }
    end },
  },
})

workflow.create("count", {
  type = "reduce",
  initial = { positive = 0, negative = 0 },
  steps = { function(so_far)
    local counted = so_far.accumulator
    counted[so_far.item.sentiment] = counted[so_far.item.sentiment] + 1
    return counted
  end },
})

workflow.create("decide", {
  type = "conditional",
  steps = { { id = "worry", condition = function(run) return run.input.negative > run.input.positive end,
    ["function"] = function(counted) return { counted = counted, verdict = "read the letters of your customers" } end } },
  otherwise = function(counted) return { counted = counted, verdict = "carry on" } end,
})

workflow.create("reviews", {
  name = "Reviews",
  steps = {
    { id = "read", ["function"] = function(file)
      local found = {}
      for paragraph in (fs.read(file) .. "\n\n"):gmatch("(.-)\n%s*\n") do
        local review = paragraph:gsub("%s+", " "):match("^%s*(.-)%s*$")
        if review ~= "" and #found < params.count then
          found[#found + 1] = review
        end
      end
      return found
    end },
    { id = "judged", workflow = "judge" },
    { id = "counted", workflow = "count" },
    { id = "decided", workflow = "decide" },
  },
})

print(workflow.export_workflow("reviews", "mermaid"))

local options = {}
if params.checkpoint ~= "" then
  -- Kill this run and start it again: what was judged is not judged again.
  options = { checkpoint = params.checkpoint, run_id = params.file }
end
local result = workflow.execute("reviews", params.file, options)

print(("%d positive, %d negative: %s"):format(result.counted.positive, result.counted.negative, result.verdict))
return result
