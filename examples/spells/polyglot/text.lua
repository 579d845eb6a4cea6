-- A Lua module, for the JavaScript spell beside it.

local text = {}

-- Call `visit(line, number)` for each line of a text that is not empty; return how many there were.
function text.each_line(content, visit)
  local number = 0
  for line in content:gmatch("[^\n]+") do
    number = number + 1
    visit(line, number)
  end
  return number
end

return text
