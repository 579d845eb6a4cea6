// /// spell
// name = "agent-with-tools"
// description = "An agent that answers with tools: one of this spell, and some that come along."
// permissions = ["llm"]
//
// [parameters.question]
// default = "How many kilograms of honey do the hives north and south give together?"
// description = "What to ask the agent"
// ///

import agent from "agent";
import tools from "tools";

const yields = { north: 12.5, south: 9.75, east: 14 };

tools.define(
  "honey_of_hive",
  "Tell how many kilograms of honey a hive gives.",
  {
    parameters: { hive: "string" },
    output: "number",
    examples: [{ description: "One hive", parameters: { hive: "east" }, result: 14 }],
  },
  ({ hive }) => {
    if (!(hive in yields)) {
      throw new Error(`there is no hive ${hive}`);
    }
    return yields[hive];
  },
);

// A tool is tried before a model gets it: its examples are its tests.
const tried = await tools.testTool("honey_of_hive", [
  { input: { hive: "east" }, expected: 14 },
  { input: { hive: "west" }, error: true },
]);
console.log(`${tried.summary.passed} of ${tried.summary.total} tests of honey_of_hive pass`);

const keeper = await agent.create("keeper", {
  system: "You keep bees. Use the tools to answer, and answer in one sentence.",
  tools: ["honey_of_hive", "calculator", "datetime_now"],
  temperature: 0,
});
const answer = await keeper.run(params.question, { details: true });

for (const call of answer.tool_calls) {
  console.log(`  ${call.name} -> ${call.error ?? "done"}`);
}
console.log(answer.content);

export default { answer: answer.content, used: answer.tool_calls.map((call) => call.name), steps: answer.steps };
