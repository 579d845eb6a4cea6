-- Values to MessagePack, the form in which they cross between the guest and Python; decode.lua is the way back.
--
-- Extensions: 1 an integer beyond 64 bits, 2 a function of a guest, 3 a host object, 4 a text with lone surrogates (all as
-- in llmspell.values.wire); and where the value must keep its Tengo type (faithful): 16 char, 17 time, 18 error,
-- 19 immutable container, 20 a string that is not UTF-8, 21 a function that does not cross.

local R = ...

local type, getmetatable, rawget = type, getmetatable, rawget
local math_type, pack, char, find = math.type, string.pack, string.char, string.find
local utf8_len, concat, select, error = utf8.len, table.concat, select, error
local L, CODE, ARR, MAP, CHAR, ERR = R.L, R.CODE, R.ARR, R.MAP, R.CHAR, R.ERR

-- Encoding: the state holds the parts, what is left of the limits, and whether types are kept

local encode

local function refuse(state, reason)
  state.refused = reason
  error("\1v\1" .. reason .. "\1$" .. concat(state.path), 0)
end

local function spend(state, nodes, bytes)
  state.nodes = state.nodes - nodes
  if state.nodes < 0 then
    refuse(state, "the value has more than " .. R.value_limits.nodes .. " parts (limit: value nodes)")
  end
  if bytes then
    state.bytes = state.bytes - bytes
    if state.bytes < 0 then
      refuse(state, "the value holds more than " .. R.value_limits.bytes .. " bytes of text (limit: value bytes)")
    end
  end
end

-- the head of something that counts its parts or bytes in 8, 16 or 32 bits; code is that of the shortest form
local function head(code, size)
  if size < 256 then
    return pack(">BB", code, size)
  elseif size < 65536 then
    return pack(">BI2", code + 1, size)
  end
  return pack(">BI4", code + 2, size)
end

local function extension(code, payload)
  return head(0xc7, #payload) .. char(code) .. payload
end

-- few is the code of the form for up to 15 parts, many that of the form for 16 bits
local function container_head(few, many, size)
  if size < 16 then
    return char(few | size)
  elseif size < 65536 then
    return pack(">BI2", many, size)
  end
  return pack(">BI4", many + 1, size)
end

-- UTF-8 but for lone surrogates, which texts of the host may hold
local function has_surrogates(s)
  return utf8_len(s, 1, -1, true) and not find(s, "[\xf5-\xff]") and not find(s, "\xf4[\x90-\xbf]")
end

local function encode_text(out, s, state)
  local size = #s
  spend(state, 1, size)
  local count = #out
  if utf8_len(s) then
    out[count + 1] = size < 32 and char(0xa0 | size) or head(0xd9, size)
    out[count + 2] = s
  elseif state.faithful then
    out[count + 1] = extension(20, s)
  elseif not state.work and has_surrogates(s) then
    out[count + 1] = extension(4, s)
  else
    out[count + 1] = head(0xc4, size)
    out[count + 2] = s
  end
end

local function encode_key(out, s, state)
  if not utf8_len(s) then
    refuse(state, "a map key is not UTF-8")
  end
  spend(state, 0, #s)
  local count = #out
  out[count + 1] = #s < 32 and char(0xa0 | #s) or head(0xd9, #s)
  out[count + 2] = s
end

local function enter(state, v)
  if state.open[v] then
    refuse(state, "the value contains itself")
  elseif state.depth <= 0 then
    refuse(state, "the value is nested deeper than " .. R.value_limits.depth .. " levels (limit: value depth)")
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
  out[#out + 1] = container_head(0x90, 0xdc, n)
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
  out[#out + 1] = container_head(0x80, 0xde, n)
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
      if R.is_half_read(v) then
        refuse(state, "a stream that was read in part cannot cross")
      end
      out[#out + 1] = extension(3, handle)
    elseif state.faithful then
      out[#out + 1] = extension(19, inner(R.backing(v), state))
    else
      encode_table(out, R.backing(v), state)
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
    out[#out + 1] = head(0xc4, #data)
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
      out[#out + 1] = extension(2, "\x92" .. pack(">Bi8", 0xd3, R.function_id(v)) .. "\xa0")
    end
  end
end

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

-- the values from the first to the last as one list; work: for Python's half of the runtime
function R.encoded_list(work, first, last, ...)
  local out, state = {}, R.encoder()
  state.work = work
  local n = last - first + 1
  out[1] = container_head(0x90, 0xdc, n)
  for index = first, last do
    state.path[1] = "[" .. index - first .. "]"
    encode(out, (select(index, ...)), state)
  end
  return concat(out)
end
