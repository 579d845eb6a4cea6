// /// spell
// name = "workflow-pipeline"
// description = "A workflow over a file of reviews: each is judged, they are counted, and an interrupted run goes on."
// permissions = ["read", "llm"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of reviews, one paragraph each"
//
// [parameters.count]
// type = "integer"
// default = 4
// description = "How many reviews to judge"
//
// [parameters.checkpoint]
// default = ""
// description = "A directory, allowed for reading and writing, where the run is kept until it is done"
// ///

import fs from "fs";
import workflow from "workflow";

// The model that comes along only chooses here, and not always well: set a key, and a larger one is asked.
const question = `'It broke twice, and nobody answered my letters.' is negative.
'We love this bakery, the people are friendly.' is positive.
'The train came late. I want my money back.' is negative.
'A wonderful afternoon.' is positive.
'{{ input }}' is`;

workflow.create("judge", {
  type: "map",
  concurrency: 1, // the model that comes along thinks of one thing at a time; others take more
  steps: [
    { id: "ask", prompt: question, options: { choices: ["positive", "negative"] }, retry: 2 },
    { id: "keep", function: (sentiment, run) => ({ sentiment, review: run.item }) },
  ],
});

workflow.create("count", {
  type: "reduce",
  initial: { positive: 0, negative: 0 },
  steps: [
    ({ accumulator, item }) => ({ ...accumulator, [item.sentiment]: accumulator[item.sentiment] + 1 }),
  ],
});

workflow.create("decide", {
  type: "conditional",
  steps: [
    {
      id: "worry",
      condition: (run) => run.input.negative > run.input.positive,
      function: (counted) => ({ counted, verdict: "read the letters of your customers" }),
    },
  ],
  otherwise: (counted) => ({ counted, verdict: "carry on" }),
});

workflow.create("reviews", {
  name: "Reviews",
  steps: [
    {
      id: "read",
      function: async (file) =>
        (await fs.read(file))
          .split(/\n\s*\n/)
          .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
          .filter(Boolean)
          .slice(0, params.count),
    },
    { id: "judged", workflow: "judge" },
    { id: "counted", workflow: "count" },
    { id: "decided", workflow: "decide" },
  ],
});

console.log(workflow.exportWorkflow("reviews", "mermaid"));

// Kill this run and start it again: what was judged is not judged again.
const options = params.checkpoint ? { checkpoint: params.checkpoint, runId: params.file } : {};
const result = await workflow.execute("reviews", params.file, options);

const { positive, negative } = result.counted;
console.log(`${positive} positive, ${negative} negative: ${result.verdict}`);
export default result;
