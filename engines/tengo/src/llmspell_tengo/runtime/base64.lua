-- The module base64: the standard and the URL alphabet, with padding and without ("raw").

local R = ...

local byte, char, concat, find, gsub, sub = string.byte, string.char, table.concat, string.find, string.gsub, string.sub

local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

local function alphabet(last)
  local to, from = {}, {}
  local all = letters .. last
  for index = 1, 64 do
    to[index - 1] = sub(all, index, index)
    from[byte(all, index)] = index - 1
  end
  return to, from
end

local function encoder(to, pad)
  return function(s)
    local out, count = {}, 0
    R.spend(#s // 3)
    for at = 1, #s, 3 do
      local a, b, c = byte(s, at, at + 2)
      local bits = a << 16 | (b or 0) << 8 | (c or 0)
      count = count + 1
      out[count] = to[bits >> 18] .. to[bits >> 12 & 63] .. (b and to[bits >> 6 & 63] or pad) .. (c and to[bits & 63] or pad)
    end
    return concat(out)
  end
end

-- where the data goes wrong, counted in bytes from 0, or nil; and the data
local function decode(s, from, padded)
  local out, count = {}, 0
  local quad, held = 0, 0
  local at, size = 1, #s
  R.spend(size // 3)
  while at <= size do
    local code = byte(s, at)
    local value = from[code]
    if value then
      quad = quad << 6 | value
      held = held + 1
      if held == 4 then
        count = count + 1
        out[count] = char(quad >> 16 & 255, quad >> 8 & 255, quad & 255)
        quad, held = 0, 0
      end
    elseif code ~= 10 and code ~= 13 then
      break
    end
    at = at + 1
  end
  if at <= size then
    -- only padding may stand here, and nothing after it
    if byte(s, at) ~= 61 or not padded or held < 2 then
      return at - 1
    end
    local rest = sub(s, at)
    local wanted = held == 2 and "^=[\r\n]*=[\r\n]*()" or "^=[\r\n]*()"
    local _, _, after = find(rest, wanted)
    if not after then
      return size
    elseif after <= #rest then
      return at - 1 + after - 1
    end
  elseif held == 1 or held > 0 and padded then
    return size - held
  end
  if held == 2 then
    out[count + 1] = char(quad >> 4 & 255)
  elseif held == 3 then
    out[count + 1] = char(quad >> 10 & 255, quad >> 2 & 255)
  end
  return nil, concat(out)
end

local members = {}
for prefix, last in next, { [""] = "+/", url_ = "-_" } do
  local to, from = alphabet(last)
  for raw, pad in next, { [""] = "=", raw_ = "" } do
    local name = raw .. prefix .. "encode"
    members[name] = R.module_function(name, { "bytes" }, encoder(to, pad))
    name = raw .. prefix .. "decode"
    members[name] = R.module_function(name, { "string" }, function(s)
      local at, data = decode(s, from, pad == "=")
      if at then
        return R.error_text("illegal base64 data at input byte " .. at)
      end
      return R.new_bytes(data)
    end)
  end
end
R.base64_text = encoder(alphabet("+/"), "=")
R.define_module("base64", members)
