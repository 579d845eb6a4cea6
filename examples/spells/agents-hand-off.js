// /// spell
// name = "agents-hand-off"
// description = "A front desk finds out what a customer wants, and hands the conversation over to who can do it."
// permissions = ["llm"]
//
// [parameters.message]
// default = "My invoice of May says 120 euros, but we agreed on 90. Please correct it."
// description = "What the customer writes"
// ///

import agent from "agent";
import llm from "llm";

// This wants a model that can hold a conversation. The one that comes along chooses a desk, and does not say much of use.
const desks = {
  billing: "You correct invoices. Say what you will change, in one sentence.",
  repairs: "You repair machines. Ask for the one thing you need to know, in one sentence.",
  sales: "You sell coffee machines. Answer in one sentence.",
};
for (const [name, system] of Object.entries(desks)) {
  await agent.create(name, { system, maxTokens: 60, budget: { tokens: 2000 } });
}

const front = await agent.create("front", {
  system: "You are the front desk. Greet the customer in one sentence, and say that a colleague will help.",
  maxTokens: 40,
});
const trail = [];
agent.subscribe((event) => void trail.push(`${event.agent} -> ${event.data.to}`), { type: "handed_off" });

const greeting = await front.chat(params.message);
console.log(`front: ${greeting}`);

// Who can do it is a choice among those there are, so that the answer is always one of them.
const desk = await llm.complete(`A customer writes: ${params.message}\nWhich desk is this for?`, {
  choices: Object.keys(desks),
});

// The colleague knows all that was said so far, and goes on from there.
const reply = await front.handoff(desk, "Please help this customer.");
console.log(`${desk}: ${reply}`);

export default { desk, greeting, reply, trail, said: agent.getHistory(desk).length };
