-- Values to and from MessagePack, the form in which they cross between the guest and Python.
--
-- Extensions: 2 a function of a guest, 3 a host object (both as in llmspell.values.wire), 1 an integer beyond 64 bits;
-- and where the value must keep its Tengo type (faithful): 16 char, 17 time, 18 error, 19 immutable container,
-- 20 a string that is not UTF-8, 21 a function that does not cross.

local R = ...

local type, getmetatable, setmetatable, rawget, next = type, getmetatable, setmetatable, rawget, next
local math_type, pack, unpack, sub, byte = math.type, string.pack, string.unpack, string.sub, string.byte
local char, utf8_len, concat, rawset, select = string.char, utf8.len, table.concat, rawset, select
local L, CODE, ARR, MAP, CHAR, ERR = R.L, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR
local backing = R.backing

-- Encoding: the state holds the parts, what is left of the limits, and whether types are kept

local encode

local function refuse(state, reason)
  state.refused = reason
  error("\1v\1" .. reason .. "\1$" .. concat(state.path), 0)
end

local function spend(state, nodes, bytes)
  state.nodes = state.nodes - nodes
  if state.nodes < 0 then
    refuse(state, "the value has more parts than allowed (limit: value nodes)")
  end
  if bytes then
    state.bytes = state.bytes - bytes
    if state.bytes < 0 then
      refuse(state, "the value holds more text than allowed (limit: value bytes)")
    end
  end
end

local function extension(code, payload)
  local size = #payload
  if size == 1 then
    return pack(">BbB", 0xd4, code, byte(payload))
  elseif size < 256 then
    return char(0xc7, size, code) .. payload
  elseif size < 65536 then
    return pack(">BI2b", 0xc8, size, code) .. payload
  end
  return pack(">BI4b", 0xc9, size, code) .. payload
end

local function text_head(size)
  if size < 32 then
    return char(0xa0 | size)
  elseif size < 256 then
    return char(0xd9, size)
  elseif size < 65536 then
    return pack(">BI2", 0xda, size)
  end
  return pack(">BI4", 0xdb, size)
end

local function data_head(size)
  if size < 256 then
    return char(0xc4, size)
  elseif size < 65536 then
    return pack(">BI2", 0xc5, size)
  end
  return pack(">BI4", 0xc6, size)
end

local function encode_text(out, s, state)
  local size = #s
  spend(state, 1, size)
  local count = #out
  if utf8_len(s) then
    out[count + 1] = text_head(size)
    out[count + 2] = s
  elseif state.faithful then
    out[count + 1] = extension(20, s)
  else
    out[count + 1] = data_head(size)
    out[count + 2] = s
  end
end

local function encode_key(out, s, state)
  if not utf8_len(s) then
    refuse(state, "a map key is not UTF-8")
  end
  spend(state, 0, #s)
  local count = #out
  out[count + 1] = text_head(#s)
  out[count + 2] = s
end

local function enter(state, v)
  if state.open[v] then
    refuse(state, "the value contains itself")
  elseif state.depth <= 0 then
    refuse(state, "the value is nested deeper than allowed (limit: value depth)")
  end
  state.open[v] = true
  state.depth = state.depth - 1
end

local function leave(state, v)
  state.open[v] = nil
  state.depth = state.depth + 1
end

local function encode_list(out, v, state)
  enter(state, v)
  local n = v[L]
  out[#out + 1] = n < 16 and char(0x90 | n) or n < 65536 and pack(">BI2", 0xdc, n) or pack(">BI4", 0xdd, n)
  local path = state.path
  local level = #path + 1
  for index = 0, n - 1 do
    path[level] = "[" .. index .. "]"
    encode(out, v[index], state)
  end
  path[level] = nil
  leave(state, v)
end

local function encode_map(out, v, state)
  enter(state, v)
  local keys, n = R.sorted_keys(v)
  out[#out + 1] = n < 16 and char(0x80 | n) or n < 65536 and pack(">BI2", 0xde, n) or pack(">BI4", 0xdf, n)
  local path = state.path
  local level = #path + 1
  for index = 1, n do
    local key = keys[index]
    path[level] = "." .. key
    encode_key(out, key, state)
    encode(out, v[key], state)
  end
  path[level] = nil
  leave(state, v)
end

-- the inner value of an extension
local function inner(v, state)
  local out = {}
  encode(out, v, state)
  return concat(out)
end

local function encode_table(out, v, state)
  local mt = getmetatable(v)
  if mt == ARR then
    encode_list(out, v, state)
  elseif mt == MAP then
    encode_map(out, v, state)
  elseif mt.immutable then
    local handle = R.host_handles[v]
    if handle then
      out[#out + 1] = extension(3, handle)
    elseif state.faithful then
      out[#out + 1] = extension(19, inner(mt.__index, state))
    else
      encode_table(out, mt.__index, state)
    end
  elseif mt == CHAR then
    if state.faithful then
      out[#out + 1] = extension(16, pack(">i8", v[CODE]))
    else
      encode_text(out, R.char_text(v[CODE]), state)
    end
  elseif mt == ERR then
    local value = rawget(v, ERR)
    if state.faithful then
      out[#out + 1] = extension(18, inner(value, state))
    else
      enter(state, v)
      out[#out + 1] = char(0x81) .. "\xa5error"
      encode(out, value, state)
      leave(state, v)
    end
  elseif mt.kind == "bytes" then
    local data = rawget(v, R.DATA)
    spend(state, 0, #data)
    out[#out + 1] = data_head(#data)
    out[#out + 1] = data
  elseif mt.encode then
    mt.encode(out, v, state, extension, encode_text)
  else
    refuse(state, "a " .. mt.kind .. " cannot cross")
  end
end

function encode(out, v, state)
  local t = type(v)
  if t == "string" then
    encode_text(out, v, state)
    return
  end
  spend(state, 1)
  if t == "number" then
    if math_type(v) == "float" then
      out[#out + 1] = pack(">Bd", 0xcb, v)
    elseif v >= 0 and v < 128 then
      out[#out + 1] = char(v)
    else
      out[#out + 1] = pack(">Bi8", 0xd3, v)
    end
  elseif t == "table" then
    encode_table(out, v, state)
  elseif t == "boolean" then
    out[#out + 1] = v and "\xc3" or "\xc2"
  elseif t == "nil" then
    out[#out + 1] = "\xc0"
  else
    local handle = R.host_handles[v]
    if handle then
      out[#out + 1] = extension(3, handle)
    elseif state.faithful == "values" then
      out[#out + 1] = extension(21, R.type_name(v))
    else
      out[#out + 1] = extension(2, R.function_handle(v))
    end
  end
end

-- how large a crossing value may be
R.value_limits = { depth = 64, nodes = 1000000, bytes = 64 * 1024 * 1024 }

function R.encoder(faithful)
  local limits = R.value_limits
  return {
    faithful = faithful,
    depth = limits.depth,
    nodes = limits.nodes,
    bytes = limits.bytes,
    open = {},
    path = {},
  }
end
R.encode = encode

function R.encoded(v, faithful)
  local out = {}
  encode(out, v, R.encoder(faithful))
  return concat(out)
end

-- the values from the first to the last as one list
function R.encoded_list(first, last, ...)
  local out, state = {}, R.encoder()
  local n = last - first + 1
  out[1] = n < 16 and char(0x90 | n) or pack(">BI2", 0xdc, n)
  for index = first, last do
    state.path[1] = "[" .. index - first .. "]"
    encode(out, (select(index, ...)), state)
  end
  return concat(out)
end

-- Decoding

local decode
local extensions = {}

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
    value, at = decode(s, at)
    if value == nil then
      R.keep_keys(map, key)
    else
      rawset(map, key, value)
    end
  end
  return map, at
end

local function decode_extension(s, at, size)
  local code = unpack("b", s, at)
  local payload = sub(s, at + 1, at + size)
  return extensions[code](payload), at + 1 + size
end

local fixed = {
  [0xc0] = function(_, at)
    return nil, at
  end,
  [0xc2] = function(_, at)
    return false, at
  end,
  [0xc3] = function(_, at)
    return true, at
  end,
  [0xca] = function(s, at)
    return unpack(">f", s, at)
  end,
  [0xcb] = function(s, at)
    return unpack(">d", s, at)
  end,
  [0xdc] = function(s, at)
    return decode_list(s, at + 2, (unpack(">I2", s, at)))
  end,
  [0xdd] = function(s, at)
    return decode_list(s, at + 4, (unpack(">I4", s, at)))
  end,
  [0xde] = function(s, at)
    return decode_map(s, at + 2, (unpack(">I2", s, at)))
  end,
  [0xdf] = function(s, at)
    return decode_map(s, at + 4, (unpack(">I4", s, at)))
  end,
  [0xc7] = function(s, at)
    return decode_extension(s, at + 1, byte(s, at))
  end,
  [0xc8] = function(s, at)
    return decode_extension(s, at + 2, (unpack(">I2", s, at)))
  end,
  [0xc9] = function(s, at)
    return decode_extension(s, at + 4, (unpack(">I4", s, at)))
  end,
}
for code, form in next, {
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
} do
  fixed[code] = function(s, at)
    return unpack(form, s, at)
  end
end
for index, form in next, { ">s1", ">s2", ">s4" } do
  fixed[0xc3 + index] = function(s, at)
    local data, after = unpack(form, s, at)
    return R.new_bytes(data), after
  end
end
for power = 0, 4 do
  fixed[0xd4 + power] = function(s, at)
    return decode_extension(s, at, 1 << power)
  end
end

function decode(s, at)
  local head = byte(s, at)
  if head < 0x80 then
    return head, at + 1
  elseif head >= 0xe0 then
    return head - 256, at + 1
  elseif head >= 0xc0 then
    return fixed[head](s, at + 1)
  elseif head >= 0xa0 then
    local after = at + 1 + (head & 31)
    return sub(s, at + 1, after - 1), after
  elseif head >= 0x90 then
    return decode_list(s, at + 1, head & 15)
  end
  return decode_map(s, at + 1, head & 15)
end

extensions[1] = function()
  error("\1v\1an integer beyond 64 bits cannot cross to Tengo\1$", 0)
end
extensions[2] = function(payload)
  return R.foreign_function(payload)
end
extensions[3] = function(payload)
  return R.host_object(payload)
end
-- a text with lone surrogates: what it is in UTF-8 with surrogates
extensions[4] = function(payload)
  return payload
end
extensions[16] = function(payload)
  return R.chars[unpack(">i8", payload)]
end
extensions[17] = function(payload)
  return R.decoded_time(payload)
end
extensions[18] = function(payload)
  return R.error_value((decode(payload, 1)))
end
extensions[19] = function(payload)
  return R.immutable((decode(payload, 1)))
end
extensions[20] = function(payload)
  return payload
end

function R.decoded_value(s)
  return (decode(s, 1))
end
