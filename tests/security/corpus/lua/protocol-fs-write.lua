-- id: LUA-PRO-015
-- class: protocol
-- tries: write where nothing is granted
-- expect: value "safe"

for _, path in ipairs({"/tmp/llmspell-attack", "attack.txt", "/dev/shm/llmspell-attack"}) do
  if pcall(function() return fs.write(path, "x") end) then return "ESCAPED: " .. path end
end
return "safe"
