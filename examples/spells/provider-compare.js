// /// spell
// name = "provider-compare"
// description = "Ask several models the same questions at once, and compare answers, time, tokens and cost."
// permissions = ["llm"]
//
// [parameters.models]
// type = "list"
// default = []
// description = "Models to compare, e.g. openai:gpt-4o,local; every configured provider if none is named"
//
// [parameters.questions]
// type = "list"
// default = ["What is the capital of France? Answer in one sentence.", "What is 7 + 5? Answer with the number."]
// description = "What to ask"
// ///

import llm from "llm";

const models = params.models.length > 0 ? params.models : llm.listProviders();
const totals = new Map(models.map((model) => [model, { answered: 0, seconds: 0, tokens: 0, cost: 0 }]));

const add = (total, { duration, usage }) => {
  total.answered += 1;
  total.seconds += duration;
  total.tokens += usage.total_tokens;
  // A price that is not known makes the sum unknown; it is not zero.
  total.cost = total.cost !== null && usage.cost_known ? total.cost + usage.cost : null;
};

const comparison = [];
for (const question of params.questions) {
  console.log(question);
  const answers = await llm.compareProviders(question, models, { temperature: 0, maxTokens: 60 });
  for (const answer of answers) {
    const name = answer.provider.padEnd(12);
    if (answer.success) {
      add(totals.get(answer.provider), answer);
      console.log(`  ${name} ${answer.response.replace(/\s+/g, " ")}`);
    } else {
      console.log(`  ${name} failed: ${answer.error.message}`);
    }
  }
  comparison.push({ question, answers });
}

const row = (model, ...cells) => [model.padEnd(14), ...cells].join(" ");
console.log();
console.log(row("MODEL", "ANSWERED", " SECONDS", "  TOKENS", "      COST"));
for (const [model, { answered, seconds, tokens, cost }] of totals) {
  const price = cost === null ? "unknown" : `$${cost.toFixed(4)}`;
  console.log(
    row(
      model,
      String(answered).padStart(8),
      seconds.toFixed(2).padStart(8),
      String(tokens).padStart(8),
      price.padStart(10),
    ),
  );
}

export default comparison;
