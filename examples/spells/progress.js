// /// spell
// name = "progress"
// description = "Ask a model several questions at once, and show how far it is."
// permissions = ["llm"]
//
// [parameters.countries]
// type = "list"
// default = ["France", "Italy", "Japan", "Germany"]
// description = "Whose capital to ask for"
// ///

import llm from "llm";

const questions = params.countries.map((country) => `What is the capital of ${country}? Answer in one word.`);

// A terminal shows a bar by itself; a spell that wants to know more listens.
let reports = 0;
let furthest = 0;
const answers = await llm.batchProcess(questions, {
  concurrency: 2,
  temperature: 0,
  maxTokens: 12,
  onProgress: (fraction, message) => {
    console.log(`${String(Math.round(fraction * 100)).padStart(3)}%  ${message}`);
    reports += 1;
    furthest = fraction;
  },
});

params.countries.forEach((country, at) => console.log(`${country}: ${answers[at]}`));

export default { answers: answers.length, reports, furthest };
