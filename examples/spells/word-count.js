// /// spell
// name = "word-count"
// description = "Count the lines, words and letters of a text file, and its most frequent words."
// permissions = ["read"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "The text file"
//
// [parameters.top]
// type = "integer"
// default = 5
// description = "How many of the most frequent words to show"
// ///

import fs from "fs";

let lines = 0;
let words = 0;
let letters = 0;
const count = new Map();

for await (const line of fs.lines(params.file)) {
  lines += 1;
  letters += [...line].length;
  for (const part of line.split(/\s+/).filter(Boolean)) {
    words += 1;
    const word = part.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
    if (word) {
      count.set(word, (count.get(word) ?? 0) + 1);
    }
  }
}

const top = [...count]
  .map(([word, times]) => ({ word, times }))
  .sort((a, b) => b.times - a.times || (a.word < b.word ? -1 : 1))
  .slice(0, params.top);

console.log(`${lines} lines, ${words} words, ${letters} letters`);
for (const { word, times } of top) {
  console.log(`${String(times).padStart(6)}  ${word}`);
}

export default { lines, words, letters, top };
