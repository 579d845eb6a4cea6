// /// spell
// name = "chat"
// description = "Talk with a model. /clear forgets the conversation, /history shows it, /quit ends it."
// permissions = ["llm", "terminal"]
//
// [parameters.system]
// default = ""
// description = "How the model should behave, e.g. Answer like a pirate."
//
// [parameters.model]
// default = ""
// description = "Which model, e.g. openai:gpt-4o; the default one if empty"
// ///

import llm from "llm";
import terminal from "terminal";

const chat = await llm.chatSession(params.system, {
  model: params.model || undefined,
  maxTokens: 200,
  temperature: 0,
  maxMessages: 40,
});
let turns = 0;

const commands = {
  "/clear"() {
    chat.clear();
    console.log("(forgotten)");
  },
  "/history"() {
    for (const { role, content } of chat.getHistory()) {
      console.log(`${role.padStart(9)}: ${content}`);
    }
  },
};

while (true) {
  const line = await terminal.readLine("you> ");
  if (line === null || line === "/quit") {
    break;
  }
  if (Object.hasOwn(commands, line)) {
    commands[line]();
  } else if (line.startsWith("/")) {
    console.log("(commands: /clear, /history, /quit)");
  } else if (line.trim()) {
    // What fails is told and forgotten, so that the conversation can go on.
    try {
      await chat.stream(line, (piece) => {
        console.write(piece);
      });
      console.log();
      turns += 1;
    } catch (problem) {
      console.log(`\n(${problem.message})`);
    }
  }
}

export default { turns, messages: chat.getHistory().length };
