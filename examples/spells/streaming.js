// /// spell
// name = "streaming"
// description = "Show a model's answer as it is being written."
// permissions = ["llm"]
//
// [parameters.question]
// default = "What is the capital of France? Answer in one sentence."
// description = "What to ask"
// ///

import llm from "llm";

let pieces = 0;
const answer = await llm.stream(
  params.question,
  (piece) => {
    console.write(piece);
    pieces += 1;
  },
  { temperature: 0, maxTokens: 60 },
);
console.log();

export default { answer, pieces };
