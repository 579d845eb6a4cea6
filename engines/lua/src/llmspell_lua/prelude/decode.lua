-- Values that arrive, as MessagePack. What the host sends is a tree within the limits; only its integers can still
-- be too large. Lists arrive with the array mark, null inside containers as the token.

local P = ...
local ARRAY, null = P.ARRAY, P.null
local setmetatable = setmetatable
local byte, format, sub, sunpack = string.byte, string.format, string.sub, string.unpack

local buf
local decode

local function fail(message, ...)
  return P.need("errors", "an error of the host").fail("conversion", format(message, ...))
end

local function decode_map(pos, count)
  local t = {}
  for _ = 1, count do
    local tag, k, v = byte(buf, pos), nil, nil
    if tag >= 0xA0 and tag < 0xC0 then
      k = sub(buf, pos + 1, pos + tag - 160)
      pos = pos + tag - 159
    else
      k, pos = decode(pos)
    end
    tag = byte(buf, pos)
    if tag < 128 then
      t[k] = tag
      pos = pos + 1
    elseif tag == 0xCD then
      t[k], pos = sunpack(">I2", buf, pos + 1)
    else
      v, pos = decode(pos)
      if v == nil then
        v = null
      end
      t[k] = v
    end
  end
  return t, pos
end

local function decode_list(pos, count)
  local t = {}
  for i = 1, count do
    local tag, v = byte(buf, pos), nil
    if tag < 128 then
      t[i] = tag
      pos = pos + 1
    elseif tag == 0xCD then
      t[i], pos = sunpack(">I2", buf, pos + 1)
    else
      v, pos = decode(pos)
      if v == nil then
        v = null
      end
      t[i] = v
    end
  end
  return setmetatable(t, ARRAY), pos
end

local function decode_extension(pos, length, kind)
  local past = pos + length
  if kind == 4 then
    return sub(buf, pos, past - 1), past
  elseif kind == 3 then
    return P.need("objects", "a host object")(decode(pos), sub(buf, pos, past - 1)), past
  elseif kind == 2 then
    local f = P.need("encode").functions()[decode(pos)[1]]
    return f or fail("a function of another run cannot come back"), past
  end
  return fail("an integer of more than 64 bits cannot be held by Lua; send it as text")
end

local layouts = {
  [0xC4] = ">s1",
  [0xC5] = ">s2",
  [0xC6] = ">s4",
  [0xC7] = ">I1", -- extensions: the length
  [0xC8] = ">I2",
  [0xC9] = ">I4",
  [0xCB] = ">d",
  [0xCC] = ">I1",
  [0xCD] = ">I2",
  [0xCE] = ">I4",
  [0xCF] = ">i8",
  [0xD0] = ">i1",
  [0xD1] = ">i2",
  [0xD2] = ">i4",
  [0xD3] = ">i8",
  [0xD9] = ">s1",
  [0xDA] = ">s2",
  [0xDB] = ">s4",
  [0xDC] = ">I2", -- lists and maps: the count
  [0xDD] = ">I4",
  [0xDE] = ">I2",
  [0xDF] = ">I4",
}

function decode(pos)
  local tag = byte(buf, pos)
  if tag < 0x80 then
    return tag, pos + 1
  elseif tag < 0x90 then
    return decode_map(pos + 1, tag - 0x80)
  elseif tag < 0xA0 then
    return decode_list(pos + 1, tag - 0x90)
  elseif tag < 0xC0 then
    return sub(buf, pos + 1, pos + tag - 160), pos + tag - 159
  elseif tag >= 0xE0 then
    return tag - 256, pos + 1
  elseif tag == 0xC0 then
    return nil, pos + 1
  elseif tag < 0xC4 then
    return tag == 0xC3, pos + 1
  end
  local layout = layouts[tag]
  if not layout then -- an extension of fixed size
    return decode_extension(pos + 2, 1 << (tag - 0xD4), byte(buf, pos + 1))
  end
  local v, past = sunpack(layout, buf, pos + 1)
  if tag >= 0xDE then
    return decode_map(past, v)
  elseif tag >= 0xDC then
    return decode_list(past, v)
  elseif tag >= 0xC7 and tag <= 0xC9 then
    return decode_extension(past + 1, v, byte(buf, past))
  elseif tag == 0xCF and v < 0 then
    return fail("the integer 0x%X does not fit into Lua's 64 bits; send it as text", v)
  end
  return v, past
end

return function(blob)
  buf = blob
  local v = decode(1)
  buf = nil
  return v
end
