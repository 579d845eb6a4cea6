-- /// spell
-- name = "chat"
-- description = "Talk with a model. /clear forgets the conversation, /history shows it, /quit ends it."
-- permissions = ["llm", "terminal"]
--
-- [parameters.system]
-- default = ""
-- description = "How the model should behave, e.g. Answer like a pirate."
--
-- [parameters.model]
-- default = ""
-- description = "Which model, e.g. openai:gpt-4o; the default one if empty"
-- ///

local llm = require("llm")
local terminal = require("terminal")

local chat = llm.chat_session(params.system, {
  model = params.model ~= "" and params.model or nil,
  max_tokens = 200,
  temperature = 0,
  max_messages = 40,
})
local turns = 0

local commands = {
  ["/clear"] = function()
    chat:clear()
    print("(forgotten)")
  end,
  ["/history"] = function()
    for _, message in ipairs(chat:get_history()) do
      print(("%9s: %s"):format(message.role, message.content))
    end
  end,
}

while true do
  local line = terminal.read_line("you> ")
  if line == nil or line == "/quit" then
    break
  end
  local command = commands[line]
  if command then
    command()
  elseif line:match("^/") then
    print("(commands: /clear, /history, /quit)")
  elseif line:match("%S") then
    -- What fails is told and forgotten, so that the conversation can go on.
    local ok, problem = pcall(chat.stream, chat, line, io.write)
    print()
    if ok then
      turns = turns + 1
    else
      print("(" .. problem.message .. ")")
    end
  end
end

return { turns = turns, messages = #chat:get_history() }
