// /// spell
// name = "structured-extraction"
// description = "Real text to typed records: a schema shapes the answers, checks of the spell refuse what cannot be."
// permissions = ["read", "llm"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file, one message of a customer a paragraph"
//
// [parameters.count]
// type = "integer"
// default = 100
// description = "How many messages to read"
// ///

import fs from "fs";
import llm from "llm";
import structured from "structured";

structured.saveSchema("message", {
  type: "object",
  properties: {
    sentiment: { enum: ["positive", "negative"] },
    subject: { type: "string", minLength: 3, maxLength: 40, description: "What it is about, in a few words" },
  },
  required: ["sentiment", "subject"],
  additionalProperties: false,
});

structured.saveSchema("record", structured.mergeSchemas(["message", { text: "string" }]));

// What no schema can say: small models repeat their examples. A record that fails is set aside for a person, not dropped.
structured.registerValidator("grounded", ({ subject, text }) => {
  const words = subject.toLowerCase().match(/[a-z]{4,}/g) ?? [];
  return words.some((word) => text.toLowerCase().includes(word))
    ? true
    : { path: "$.subject", message: "the text does not speak of that" };
});

// A small model learns the shape of an answer from the schema, and its meaning from examples. The one that comes along
// fills the shape and little more: what it makes up is refused below. Set a key, and a larger one is asked.
const examples = [
  { role: "user", content: "The train came late and was full. I want my money back." },
  { role: "assistant", content: '{"sentiment": "negative", "subject": "a late train"}' },
  { role: "user", content: "We love this bakery. The bread is warm and the people are friendly." },
  { role: "assistant", content: '{"sentiment": "positive", "subject": "a warm bakery"}' },
  { role: "user", content: "The cinema was dirty and the man at the desk was rude. Never again." },
  { role: "assistant", content: '{"sentiment": "negative", "subject": "a dirty cinema"}' },
];

const extract = (content) =>
  llm.complete({ messages: [...examples, { role: "user", content }], schema: "message", maxTokens: 80 });

const texts = (await fs.read(params.file))
  .split(/\n\s*\n/)
  .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
  .filter(Boolean)
  .slice(0, params.count);

const records = [];
const refused = [];
for (const text of texts) {
  const record = { ...(await extract(text)), text };
  const { valid, errors } = await structured.validateAsync("record", record, { validators: ["grounded"] });
  if (valid) {
    records.push(record);
    console.log(record.sentiment.padEnd(9), record.subject);
  } else {
    refused.push({ record, why: errors[0].message });
    console.log("refused  ", `${record.subject}: ${errors[0].message}`);
  }
}

console.log(`\n${records.length} records, ${refused.length} for a person to look at`);
export default { records, refused };
