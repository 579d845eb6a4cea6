-- /// spell
-- name = "word-count"
-- description = "Count the lines, words and letters of a text file, and its most frequent words."
-- permissions = ["read"]
--
-- [parameters.file]
-- type = "file"
-- required = true
-- description = "The text file"
--
-- [parameters.top]
-- type = "integer"
-- default = 5
-- description = "How many of the most frequent words to show"
-- ///

local fs = require("fs")

local lines, words, letters = 0, 0, 0
local count = {}

for line in fs.lines(params.file) do
  lines = lines + 1
  letters = letters + utf8.len(line)
  for word in line:gmatch("%S+") do
    words = words + 1
    word = word:lower():gsub("^%p+", ""):gsub("%p+$", "")
    if word ~= "" then
      count[word] = (count[word] or 0) + 1
    end
  end
end

local ranked = {}
for word, times in pairs(count) do
  ranked[#ranked + 1] = { word = word, times = times }
end
table.sort(ranked, function(a, b)
  if a.times ~= b.times then
    return a.times > b.times
  end
  return a.word < b.word
end)

print(("%d lines, %d words, %d letters"):format(lines, words, letters))
local top = {}
for place = 1, math.min(params.top, #ranked) do
  top[place] = ranked[place]
  print(("%6d  %s"):format(ranked[place].times, ranked[place].word))
end

return { lines = lines, words = words, letters = letters, top = top }
