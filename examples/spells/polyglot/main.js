// /// spell
// name = "polyglot"
// description = "A JavaScript spell that uses a Lua module, which calls a JavaScript function back."
// permissions = ["read"]
//
// [parameters.file]
// type = "file"
// required = true
// description = "A text file"
// ///

import text from "./text.lua";
import fs from "fs";

let longest = "";
const count = await text.each_line(await fs.read(params.file), (line) => {
  if (line.length > longest.length) longest = line;
});

console.log(`${count} lines, the longest has ${longest.length} characters`);
export default { count, longest: longest.length };
