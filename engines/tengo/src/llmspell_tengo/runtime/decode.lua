-- Values from MessagePack; encode.lua tells of the extensions.

local R = ...

local setmetatable, rawset, error, type = setmetatable, rawset, error, type
local unpack, sub, byte = string.unpack, string.sub, string.byte
local L, ARR, MAP = R.L, R.ARR, R.MAP

local decode

local function decode_list(s, at, n)
  local list = { [L] = n }
  for index = 0, n - 1 do
    list[index], at = decode(s, at)
  end
  return setmetatable(list, ARR), at
end

local function decode_map(s, at, n)
  local map = setmetatable({}, MAP)
  local key, value
  for _ = 1, n do
    key, at = decode(s, at)
    if type(key) ~= "string" then
      error("\1v\1the key of a map must be a text\1$", 0)
    end
    value, at = decode(s, at)
    if value == nil then
      R.keep_keys(map, key)
    else
      rawset(map, key, value)
    end
  end
  return map, at
end

local function too_large()
  error("\1v\1an integer beyond 64 bits cannot cross to Tengo\1$", 0)
end

local function decode_extension(s, at, size)
  local code, payload = byte(s, at), sub(s, at + 1, at + size)
  local value
  if code == 16 then
    value = R.chars[unpack(">i8", payload)]
  elseif code == 18 then
    value = R.error_value((decode(payload, 1)))
  elseif code == 19 then
    value = R.immutable((decode(payload, 1)))
  elseif code == 2 then
    value = R.function_of(decode(payload, 1)[0])
  elseif code == 3 then
    value = R.host_thing(decode(payload, 1), payload)
  elseif code == 17 then
    value = R.decoded_time(payload)
  elseif code == 1 then
    too_large()
  else -- a text with lone surrogates, or a string that is not UTF-8
    value = payload
  end
  return value, at + 1 + size
end

-- by the first byte from 0xc4 on: how string.unpack reads a number or text, or the number of bytes of a size
local forms = {
  [0xca] = ">f",
  [0xcb] = ">d",
  [0xcc] = ">I1",
  [0xcd] = ">I2",
  [0xce] = ">I4",
  [0xcf] = ">I8",
  [0xd0] = ">i1",
  [0xd1] = ">i2",
  [0xd2] = ">i4",
  [0xd3] = ">i8",
  [0xd9] = ">s1",
  [0xda] = ">s2",
  [0xdb] = ">s4",
}

function decode(s, at)
  local head = byte(s, at)
  at = at + 1
  if head < 0x80 then
    return head, at
  elseif head >= 0xe0 then
    return head - 256, at
  elseif head < 0x90 then
    return decode_map(s, at, head & 15)
  elseif head < 0xa0 then
    return decode_list(s, at, head & 15)
  elseif head < 0xc0 then
    local after = at + (head & 31)
    return sub(s, at, after - 1), after
  elseif head == 0xc0 then
    return nil, at
  elseif head <= 0xc3 then
    return head == 0xc3, at
  elseif head <= 0xc6 then
    local data, after = unpack(head == 0xc4 and ">s1" or head == 0xc5 and ">s2" or ">s4", s, at)
    return R.new_bytes(data), after
  elseif head <= 0xc9 then
    local size, after = unpack(head == 0xc7 and ">I1" or head == 0xc8 and ">I2" or ">I4", s, at)
    return decode_extension(s, after, size)
  elseif head >= 0xd4 and head <= 0xd8 then
    return decode_extension(s, at, 1 << head - 0xd4)
  elseif head >= 0xdc then
    local size, after = unpack(head & 1 == 0 and ">I2" or ">I4", s, at)
    return (head < 0xde and decode_list or decode_map)(s, after, size)
  end
  local value, after = unpack(forms[head], s, at)
  if head == 0xcf and value < 0 then
    too_large()
  end
  return value, after
end

function R.decoded_value(s)
  return (decode(s, 1))
end
