-- /// spell
-- name = "agents-hand-off"
-- description = "A front desk finds out what a customer wants, and hands the conversation over to who can do it."
-- permissions = ["llm"]
--
-- [parameters.message]
-- default = "My invoice of May says 120 euros, but we agreed on 90. Please correct it."
-- description = "What the customer writes"
-- ///

local agent = require("agent")
local llm = require("llm")

-- This wants a model that can hold a conversation. The one that comes along chooses a desk, and does not say much of use.
local desks = {
  billing = "You correct invoices. Say what you will change, in one sentence.",
  repairs = "You repair machines. Ask for the one thing you need to know, in one sentence.",
  sales = "You sell coffee machines. Answer in one sentence.",
}
for name, system in pairs(desks) do
  agent.create(name, { system = system, max_tokens = 60, budget = { tokens = 2000 } })
end

local front = agent.create("front", {
  system = "You are the front desk. Greet the customer in one sentence, and say that a colleague will help.",
  max_tokens = 40,
})
local trail = {}
agent.subscribe(function(event)
  trail[#trail + 1] = ("%s -> %s"):format(event.agent, event.data.to)
end, { type = "handed_off" })

local greeting = front:chat(params.message)
print("front: " .. greeting)

-- Who can do it is a choice among those there are, so that the answer is always one of them.
local desk = llm.complete("A customer writes: " .. params.message .. "\nWhich desk is this for?",
  { choices = { "billing", "repairs", "sales" } })

-- The colleague knows all that was said so far, and goes on from there.
local reply = front:handoff(desk, "Please help this customer.")
print(desk .. ": " .. reply)

return { desk = desk, greeting = greeting, reply = reply, trail = trail, said = #agent.get_history(desk) }
