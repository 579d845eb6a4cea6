local function build(count)
  local s = ""
  local found = 0
  for i = 0, count - 1 do
    s = s .. "k" .. i
    if s:byte(-1) == 55 then
      found = found + 1
    end
    if #s > 200 then
      s = s:sub(101)
    end
    local word = s:sub(-3)
    if word == "k11" then
      found = found + 2
    end
  end
  return found
end
return build(200000)
