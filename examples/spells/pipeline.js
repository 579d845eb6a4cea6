// /// spell
// name = "pipeline"
// description = "Three stages over channels: lines become words, words become counts, the most frequent are shown."
// permissions = ["read"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of paragraphs"
// ///

import async from "async";
import channel from "channel";
import fs from "fs";

const lines = channel.new(2);
const words = channel.new(8);

async.spawn(async () => {
  for await (const line of fs.lines(params.file)) {
    await lines.send(line);
  }
  lines.close();
});

async.spawn(async () => {
  for await (const line of lines) {
    for (const word of line.toLowerCase().match(/[a-z]+/g) ?? []) {
      await words.send(word);
    }
  }
  words.close();
});

const counts = new Map();
for await (const word of words) {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

const top = [...counts]
  .map(([word, times]) => ({ word, times }))
  .sort((a, b) => b.times - a.times || (a.word < b.word ? -1 : 1))
  .slice(0, 3);

for (const { word, times } of top) {
  console.log(`${String(times).padStart(4)}  ${word}`);
}
export default top;
