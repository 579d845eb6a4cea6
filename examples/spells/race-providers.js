// /// spell
// name = "race-providers"
// description = "Ask two providers at once, take the first answer, and give up on both after five seconds."
// permissions = ["read"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file of paragraphs"
// ///

import async from "async";
import fs from "fs";

const [review] = (await fs.read(params.file)).split(/\n\s*\n/);

// Two providers that need no network: one takes its time, the other one is quick.
async function thorough(text) {
  await async.sleep(3);
  return { provider: "thorough", answer: text };
}

async function quick(text) {
  await async.sleep(0.01);
  return { provider: "quick", answer: text.match(/^[^.]*\./)[0] };
}

const first = await async.timeout(5, () => async.race([() => thorough(review), () => quick(review)]));

console.log(`${first.provider}: ${first.answer}`);
export default first;
