-- /// spell
-- name = "pipeline"
-- description = "Three stages over channels: lines become words, words become counts, the most frequent are shown."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "A text file of paragraphs"
-- ///

local fs = require("fs")

local lines, words = channel.new(2), channel.new(8)

async.spawn(function()
  for line in fs.lines(params.file) do
    lines:send(line)
  end
  lines:close()
end)

async.spawn(function()
  for line in lines:each() do
    for word in line:lower():gmatch("%a+") do
      words:send(word)
    end
  end
  words:close()
end)

local counts = {}
for word in words:each() do
  counts[word] = (counts[word] or 0) + 1
end

local ranked = {}
for word, times in pairs(counts) do
  ranked[#ranked + 1] = { word = word, times = times }
end
table.sort(ranked, function(a, b)
  return a.times > b.times or (a.times == b.times and a.word < b.word)
end)

local top = {}
for place = 1, 3 do
  top[place] = ranked[place]
  print(("%4d  %s"):format(top[place].times, top[place].word))
end
return top
