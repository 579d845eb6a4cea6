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
      error("invalid use of '%' in replacement string", 0)
    end
    at = stop + 2
  end
end

-- How a match is replaced, by kind: by `repl` and what matched, or its captures.
local replace = {}

function replace.string(pieces, whole, ...)
  local out, captures = {}, select("#", ...)
  for i = 1, #pieces do
    local piece = pieces[i]
    if type(piece) == "number" then
      if piece == 0 or (piece == 1 and captures == 0) then
        piece = whole
      elseif piece > captures then
        error("invalid capture index %" .. piece .. " in replacement string", 0)
      else
        piece = select(piece, ...)
      end
    end
    out[i] = piece
  end
  return concat(out)
end

replace["function"] = function(f, whole, ...)
  if (...) == nil then
    return f(whole)
  end
  return f(...)
end

function replace.table(t, whole, ...)
  local key = ...
  if key == nil then
    key = whole
  end
  return t[key]
end

return function(s, finder, anchored, kind, repl, max)
  local out, size, count, copied = {}, 0, 0, 1
  local at, last, past = 1, nil, #s + 1
  local by = replace[kind]
  if kind == "string" then
    repl = pieces_of(repl)
  end
  local function found(start, stop, ...)
    if not start then
      return false
    elseif stop + 1 == last then -- an empty match right after the last one does not count
      at = at + 1
      return true
    end
    local v = by(repl, sub(s, start, stop), ...)
    count = count + 1
    if v then
      local got = type(v)
      if got ~= "string" and got ~= "number" then
        error("invalid replacement value (a " .. got .. ")", 0)
      end
      out[size + 1], out[size + 2] = sub(s, copied, start - 1), v
      size, copied = size + 2, stop + 1
    end
    at, last = stop + 1, stop + 1
    return true
  end
  while count < max and at <= past and found(finder(at)) and not anchored do
  end
  out[size + 1] = sub(s, copied)
  return concat(out), count
end
