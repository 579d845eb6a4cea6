// /// spell
// name = "reviews"
// description = "Read reviews, ask the model for the sentiment and a title of each, and count them."
// permissions = ["read", "llm"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of reviews, one paragraph each"
// ///

import fs from "fs";
import llm from "llm";

// A model this small learns more from a few examples than from instructions.
const sentimentQuestion = (review) => ({ role: "user", content: `${review}\nPositive or negative?` });
const titleQuestion = { role: "user", content: "Now give it a short title." };
const answer = (content) => ({ role: "assistant", content });

const examples = [
  ["The train came late and was full. I want my money back.", "negative", "A late train"],
  ["We love this bakery. The bread is warm and the people are friendly.", "positive", "A warm bakery"],
  ["The cinema was dirty and the man at the desk was rude. Never again.", "negative", "A dirty cinema"],
  ["It broke twice, and nobody answered my letters.", "negative", "Broken twice"],
].flatMap(([review, sentiment, title]) => [
  sentimentQuestion(review),
  answer(sentiment),
  titleQuestion,
  answer(title),
]);

async function judge(review) {
  const messages = [...examples, sentimentQuestion(review)];
  const sentiment = await llm.complete({ messages, choices: ["positive", "negative"] });
  messages.push(answer(sentiment), titleQuestion);
  const title = await llm.complete({ messages, temperature: 0, maxTokens: 12, stop: ["\n", ".", ","] });
  return { sentiment, title: title.trim().split(/\s+/).slice(0, 6).join(" ") };
}

const text = await fs.read(params.file);
const reviews = [];
const tally = { positive: 0, negative: 0 };

console.log("SENTIMENT ", "TITLE");
for (const paragraph of text.split(/\n\s*\n/)) {
  const review = paragraph.replace(/\s+/g, " ").trim();
  if (!review) {
    continue;
  }
  const { sentiment, title } = await judge(review);
  tally[sentiment] += 1;
  reviews.push({ text: review, sentiment, title });
  console.log(sentiment.padEnd(10), title);
}
console.log(`\n${tally.positive} positive, ${tally.negative} negative`);

export default reviews;
