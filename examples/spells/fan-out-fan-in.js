// /// spell
// name = "fan-out-fan-in"
// description = "Give every paragraph of a text to a task of its own, at most four at once, and put the answers together."
// permissions = ["read"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of paragraphs"
// ///

import async from "async";
import fs from "fs";

const paragraphs = (await fs.read(params.file)).trimEnd().split(/\n\s*\n/);

async function measure(paragraph) {
  await async.sleep(0.001); // where a spell would ask a model
  const words = paragraph.match(/[A-Za-z]+/g);
  const longest = words.reduce((best, word) => (word.length > best.length ? word : best), "");
  return { words: words.length, longest };
}

const measured = await async.map(paragraphs, measure, { concurrency: 4 });

let total = 0;
measured.forEach(({ words, longest }, at) => {
  console.log(`${at + 1}: ${words} words, the longest is ${longest}`);
  total += words;
});

export default { paragraphs: paragraphs.length, words: total };
