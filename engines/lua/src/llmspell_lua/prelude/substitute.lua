-- string.gsub in Lua, so that replacement functions may call the host. `finder(at)` returns the first match at or
-- after `at`, as string.find does; `kind` is the type of `repl`.

local error, select, type = error, select, type
local byte, find, sub = string.byte, string.find, string.sub
local concat = table.concat

-- Split a replacement text into what is copied and which capture is inserted.
local function pieces_of(repl)
  local pieces, at = {}, 1
  while true do
    local stop = find(repl, "%", at, true)
    if not stop then
      pieces[#pieces + 1] = sub(repl, at)
      return pieces
    end
    pieces[#pieces + 1] = sub(repl, at, stop - 1)
    local c = byte(repl, stop + 1)
    if c == 37 then
      pieces[#pieces + 1] = "%"
    elseif c and c >= 48 and c <= 57 then
      pieces[#pieces + 1] = c - 48
    else
      error("invalid use of '%' in replacement string", 4)
    end
    at = stop + 2
  end
end

local function expand(pieces, whole, ...)
  local out, captures = {}, select("#", ...)
  for i = 1, #pieces do
    local piece = pieces[i]
    if type(piece) == "number" then
      if piece == 0 or (piece == 1 and captures == 0) then
        piece = whole
      elseif piece > captures then
        error("invalid capture index %" .. piece .. " in replacement string", 4)
      else
        piece = select(piece, ...)
      end
    end
    out[i] = piece
  end
  return concat(out)
end

local function replace(kind, repl, whole, ...)
  local v
  if kind == "string" then
    return expand(repl, whole, ...)
  elseif kind == "function" then
    if select("#", ...) == 0 then
      v = repl(whole)
    else
      v = repl(...)
    end
  else
    local key = ...
    if select("#", ...) == 0 then
      key = whole
    end
    v = repl[key]
  end
  if not v then
    return whole
  end
  kind = type(v)
  if kind ~= "string" and kind ~= "number" then
    error("invalid replacement value (a " .. kind .. ")", 4)
  end
  return v
end

return function(s, finder, anchored, kind, repl, max)
  local out, count, done = {}, 0, 1
  local at, last, past = 1, nil, #s + 1
  if kind == "string" then
    repl = pieces_of(repl)
  end
  local function found(start, stop, ...)
    if not start then
      return false
    end
    if stop + 1 == last then -- an empty match right after the last one does not count
      at = at + 1
      return true
    end
    count = count + 1
    out[#out + 1] = sub(s, done, start - 1)
    out[#out + 1] = replace(kind, repl, sub(s, start, stop), ...)
    at, done, last = stop + 1, stop + 1, stop + 1
    return true
  end
  while count < max and at <= past and found(finder(at)) and not anchored do
  end
  out[#out + 1] = sub(s, done)
  return concat(out), count
end

