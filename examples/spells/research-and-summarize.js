// /// spell
// name = "research-and-summarize"
// description = "A researcher finds what a text says about a question, a writer sums it up and names the sources."
// permissions = ["read", "llm"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of paragraphs"
//
// [parameters.question]
// default = "What did customers complain about?"
// description = "What you want to know"
// ///

import agent from "agent";
import fs from "fs";
import tools from "tools";

const paragraphs = (await fs.read(params.file))
  .split(/\n\s*\n/)
  .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
  .filter(Boolean);

// The researcher reads through this tool only, so all it can quote is in the file.
tools.define(
  "search",
  "Find the paragraphs that share most words with a query. Each has a number to cite it by.",
  { parameters: { query: "string" } },
  ({ query }) => {
    const words = query.toLowerCase().match(/[a-z]{3,}/g) ?? [];
    return paragraphs
      .map((text, at) => ({
        number: at + 1,
        score: words.filter((word) => text.toLowerCase().includes(word)).length,
        text,
      }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.number - b.number)
      .slice(0, 3);
  },
);

// This wants a model that uses tools: the one that comes along does not. Set a provider's key.
await agent.create("researcher", {
  system: "Search, several times if need be. Then list what answers the question, each with its number in brackets.",
  tools: ["search"],
  maxIterations: 6,
});
await agent.create("writer", { system: "Sum up the notes in three sentences. Keep the numbers in brackets: [2]." });

const { final: summary } = await agent.collaborate(["researcher", "writer"], params.question);

// A source that does not exist is a lie; which ones do is for the spell to know, not for the model.
const numbers = [...summary.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number));
const cited = numbers.filter((number) => paragraphs[number - 1]);
const missing = numbers.filter((number) => !paragraphs[number - 1]);

console.log(summary);
for (const number of cited) {
  console.log(`  [${number}] ${paragraphs[number - 1].slice(0, 60)}...`);
}

export default { summary, cited, missing, searches: tools.getMetrics("search").total_calls };
