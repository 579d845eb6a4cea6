-- /// spell
-- name = "agent-with-tools"
-- description = "An agent that answers with tools: one of this spell, and some that come along."
-- permissions = ["llm"]
--
-- [parameters.question]
-- default = "How many kilograms of honey do the hives north and south give together?"
-- description = "What to ask the agent"
-- ///

local agent = require("agent")
local tools = require("tools")

local yields = { north = 12.5, south = 9.75, east = 14 }

tools.define("honey_of_hive", "Tell how many kilograms of honey a hive gives.", {
  parameters = { hive = "string" },
  output = "number",
  examples = { { description = "One hive", parameters = { hive = "east" }, result = 14 } },
}, function(given)
  return yields[given.hive] or error("there is no hive " .. given.hive)
end)

-- A tool is tried before a model gets it: its examples are its tests.
local tried = tools.test_tool("honey_of_hive", {
  { input = { hive = "east" }, expected = 14 },
  { input = { hive = "west" }, error = true },
})
print(("%d of %d tests of honey_of_hive pass"):format(tried.summary.passed, tried.summary.total))

local keeper = agent.create("keeper", {
  system = "You keep bees. Use the tools to answer, and answer in one sentence.",
  tools = { "honey_of_hive", "calculator", "datetime_now" },
  temperature = 0,
})
local answer = keeper:run(params.question, { details = true })

local used = {}
for at, call in ipairs(answer.tool_calls) do
  print(("  %s -> %s"):format(call.name, call.error or "done"))
  used[at] = call.name
end
print(answer.content)

return { answer = answer.content, used = used, steps = answer.steps }
