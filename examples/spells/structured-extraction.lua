-- /// spell
-- name = "structured-extraction"
-- description = "Real text to typed records: a schema shapes the answers, checks of the spell refuse what cannot be."
-- permissions = ["read", "llm"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file, one message of a customer a paragraph"
--
-- [parameters.count]
-- type = "integer"
-- default = 100
-- description = "How many messages to read"
-- ///

local fs = require("fs")
local llm = require("llm")
local structured = require("structured")

local message = {
  type = "object",
  properties = {
    sentiment = { enum = { "positive", "negative" } },
    subject = { type = "string", minLength = 3, maxLength = 40, description = "What it is about, in a few words" },
    wants_refund = { type = "boolean" },
  },
  required = { "sentiment", "subject" },
  additionalProperties = false,
}
structured.save_schema("message", message)
structured.save_schema("record", structured.merge_schemas({ "message", { text = "string" } }))

-- What no schema can say: small models repeat their examples. A record that fails is set aside for a person, not dropped.
structured.register_validator("grounded", function(record)
  local text = record.text:lower()
  for word in record.subject:lower():gmatch("%a%a%a%a+") do
    if text:find(word, 1, true) then
      return true
    end
  end
  return { path = "$.subject", message = "the text does not speak of that" }
end)

-- A small model learns the shape of an answer from the schema, and its meaning from examples. The one that comes along
-- fills the shape and little more: what it makes up is refused below. Set a key, and a larger one is asked.
local examples = {
  { role = "user", content = "The train came late and was full. I want my money back." },
  { role = "assistant", content = '{"sentiment": "negative", "subject": "a late train"}' },
  { role = "user", content = "We love this bakery. The bread is warm and the people are friendly." },
  { role = "assistant", content = '{"sentiment": "positive", "subject": "a warm bakery"}' },
  { role = "user", content = "The cinema was dirty and the man at the desk was rude. Never again." },
  { role = "assistant", content = '{"sentiment": "negative", "subject": "a dirty cinema"}' },
}

local function extract(text)
  local messages = table.move(examples, 1, #examples, 1, {})
  messages[#messages + 1] = { role = "user", content = text }
  return llm.complete({ messages = messages, schema = "message", max_tokens = 80 })
end

local records, refused = {}, {}
for paragraph in (fs.read(params.file) .. "\n\n"):gmatch("(.-)\n%s*\n") do
  local text = paragraph:gsub("%s+", " "):match("^%s*(.-)%s*$")
  if text ~= "" and #records + #refused < params.count then
    local answer = extract(text)
    local record = { sentiment = answer.sentiment, subject = answer.subject, text = text }
    local checked = structured.validate_async("record", record, { validators = { "grounded" } })
    if checked.valid then
      records[#records + 1] = record
      print(("%-9s %s"):format(record.sentiment, record.subject))
    else
      refused[#refused + 1] = { record = record, why = checked.errors[1].message }
      print(("refused   %s: %s"):format(record.subject, checked.errors[1].message))
    end
  end
end

print(("\n%d records, %d for a person to look at"):format(#records, #refused))
return { records = records, refused = array(refused) }
