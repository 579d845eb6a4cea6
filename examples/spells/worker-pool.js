// /// spell
// name = "worker-pool"
// description = "Three workers share the lines of a text: they take jobs from one channel and send answers to another."
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

const WORKERS = 3;
const jobs = channel.new();
const answers = channel.new();

async.spawn(async () => {
  let number = 0;
  for await (const line of fs.lines(params.file)) {
    await jobs.send({ number, line });
    number += 1;
  }
  jobs.close();
});

async.spawn(async () => {
  await async.scope((scope) => {
    for (let worker = 0; worker < WORKERS; worker++) {
      scope.spawn(async () => {
        for await (const { number, line } of jobs) {
          await async.sleep(0.001); // where a spell would ask a model
          await answers.send({ number, letters: line.replace(/[^A-Za-z]/g, "").length });
        }
      });
    }
  });
  answers.close();
});

const letters = [];
let total = 0;
for await (const answer of answers) {
  letters[answer.number] = answer.letters;
  total += answer.letters;
}

console.log(`${WORKERS} workers counted ${total} letters in ${letters.length} lines`);
export default { total, letters };
