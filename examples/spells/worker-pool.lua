-- /// spell
-- name = "worker-pool"
-- description = "Three workers share the lines of a text: they take jobs from one channel and send answers to another."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of paragraphs"
-- ///

local fs = require("fs")

local WORKERS = 3
local jobs, answers = channel.new(), channel.new()

async.spawn(function()
  local number = 0
  for line in fs.lines(params.file) do
    number = number + 1
    jobs:send({ number = number, line = line })
  end
  jobs:close()
end)

async.spawn(function()
  async.scope(function(scope)
    for _ = 1, WORKERS do
      scope:spawn(function()
        for job in jobs:each() do
          async.sleep(0.001) -- where a spell would ask a model
          answers:send({ number = job.number, letters = select(2, job.line:gsub("%a", "")) })
        end
      end)
    end
  end)
  answers:close()
end)

local letters, total = {}, 0
for answer in answers:each() do
  letters[answer.number] = answer.letters
  total = total + answer.letters
end

print(("%d workers counted %d letters in %d lines"):format(WORKERS, total, #letters))
return { total = total, letters = letters }
