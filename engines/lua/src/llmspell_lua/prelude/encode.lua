-- Values that leave, as MessagePack.
--
-- Lua strings are bytes. What is valid UTF-8 leaves as text, what holds lone surrogates as such a text (extension
-- 4), anything else as bytes. Functions and host objects leave as handles (extensions 2 and 3). Sizes are counted
-- before anything is made of the value, and by own data only: no metamethod of a script runs here.

local P = ...
local handles, null, ARRAY = P.handles, P.null, P.ARRAY
local opaque = P.opaque
local next, rawequal, rawget, rawlen, select, type = next, rawequal, rawget, rawlen, select, type
local char, find, format, spack = string.char, string.find, string.format, string.pack
local concat, mathtype, utf8len = table.concat, math.type, utf8.len
local getmt, getinfo = debug.getmetatable, debug.getinfo

local MAX_REMEMBERED <const> = 1024
local OWN_LIMITS = { depth = 100, nodes = 100000, bytes = 1 << 26 } -- of what the prelude itself says

local limits = P.limits

local refs, ref_of, last_ref = {}, {}, 0 -- functions of this run that the host knows

-- One value at a time, never suspended half-way.
local out, n, nodes, size, depth, trail, open
local item -- what the items of the outermost list are called in messages

local function refuse(message, ...)
  local path = "$"
  message = format(message, ...)
  if item then
    message = format("%s %d: %s", item, trail[1], message)
  end
  for at = 2, depth do
    local key = trail[at]
    if type(key) == "string" then
      path = path .. "." .. key
    elseif key ~= nil then
      path = path .. format("[%s]", key)
    end
  end
  if path ~= "$" then
    message = message .. " (at " .. path .. ")"
  end
  return P.need("errors", "an error of the host").fail("conversion", message, path)
end

local function refuse_size(parts)
  if parts > limits.nodes then
    refuse("the value has more than %d parts (limit: value nodes)", limits.nodes)
  end
  return refuse("the value holds more than %d bytes of text (limit: value bytes)", limits.bytes)
end

local function header(first, l)
  if l < 65536 then
    return spack(">BI2", first + 1, l)
  end
  return spack(">BI4", first + 2, l)
end

local function put_string(s)
  local l = #s
  size = size + l
  if size > limits.bytes then
    refuse_size(nodes)
  end
  if utf8len(s) then
    out[n + 1] = l < 32 and char(0xA0 + l) or header(0xD9, l)
  elseif utf8len(s, 1, -1, true) and not find(s, "[\xF5-\xFF]") and not find(s, "\xF4[\x90-\xBF]") then
    out[n + 1] = spack(">BI4B", 0xC9, l, 4) -- wrong by surrogates only, as Python's "surrogatepass" reads it
  else
    out[n + 1] = header(0xC4, l)
  end
  n = n + 2
  out[n] = s
end

local function put_number(v)
  n = n + 1
  if mathtype(v) == "float" then
    out[n] = spack(">Bd", 0xCB, v)
  elseif v >= 0 and v < 128 then
    out[n] = char(v)
  elseif v >= 0 and v < 65536 then
    out[n] = spack(">BI2", 0xCD, v)
  else
    out[n] = spack(">Bi8", 0xD3, v)
  end
end

local function put_extension(kind, payload)
  n = n + 2
  out[n - 1] = spack(">BI4B", 0xC9, #payload, kind)
  out[n] = payload
end

local function put_function(f)
  local id = ref_of[f]
  if not id then
    id = last_ref + 1
    last_ref = id
    refs[id], ref_of[f] = f, id
  end
  local info = getinfo(f, "S")
  local name = info.short_src .. ":" .. info.linedefined
  if not utf8len(name) then
    name = ""
  end
  return put_extension(2, spack(">BBI4Bs1", 0x92, 0xCE, id, 0xD9, name))
end

-- Name the entry that keeps a table from being a list.
local function refuse_mixture(t, len)
  for k in next, t do
    if mathtype(k) ~= "integer" or k < 1 or k > len then
      trail[depth] = k
      if type(k) == "string" then
        refuse("a table holds both list items and named fields")
      end
      break
    end
  end
  return refuse("a list has a hole before its end; write null for an empty place")
end

local put

local function put_list(t, len, plain)
  local out, at = out, n + 1 -- locals are quicker, and these loops are where the time goes
  out[at] = len < 16 and char(0x90 + len) or spack(">BI4", 0xDD, len)
  for i = 1, len do
    local v
    if plain then
      v = t[i]
    else
      v = rawget(t, i)
    end
    if mathtype(v) == "integer" and v >= 0 and v < 65536 then
      at = at + 1
      out[at] = v < 128 and char(v) or char(0xCD, v >> 8, v & 0xFF)
    elseif v == nil then
      refuse_mixture(t, len)
    else
      trail[depth], n = i, at
      put(v, type(v))
      at = n
    end
  end
  n = at
end

-- How keys are written, remembered while the run lasts: maps of one shape share theirs.
local keys, remembered = {}, 0

local function encode_key(k)
  trail[depth] = k
  if type(k) ~= "string" then
    refuse("a map's keys must be texts, not %s; only a list from 1 without holes has numbers", type(k))
  elseif not utf8len(k) then
    trail[depth] = format("%q", k)
    refuse("a map's keys must be valid UTF-8")
  end
  local l = #k
  local written = (l < 32 and char(0xA0 + l) or header(0xD9, l)) .. k
  if l < 64 and remembered < MAX_REMEMBERED then
    keys[k] = written
    remembered = remembered + 1
  end
  return written
end

local function put_map(t)
  local out, head, count, room = out, n + 1, 0, limits.nodes - nodes
  local at = head
  for k, v in next, t do
    local written = keys[k] or encode_key(k)
    count = count + 1
    size = size + #k
    if count > room or size > limits.bytes then
      refuse_size(nodes + count)
    end
    at = at + 1
    out[at] = written
    if mathtype(v) == "integer" and v >= 0 and v < 65536 then
      at = at + 1
      out[at] = v < 128 and char(v) or char(0xCD, v >> 8, v & 0xFF)
    else
      local kind = type(v)
      if kind == "string" and #v < 32 and utf8len(v) then
        size = size + #v
        out[at + 1], out[at + 2] = char(0xA0 + #v), v
        at = at + 2
      else
        trail[depth], n = k, at
        put(v, kind)
        at = n
      end
    end
  end
  out[head] = count < 16 and char(0x80 + count) or spack(">BI4", 0xDF, count)
  nodes, n = nodes + count, at
end

local function put_table(t)
  if open[t] then
    refuse("the value contains itself")
  elseif depth > limits.depth then
    refuse("the value is nested deeper than %d levels (limit: value depth)", limits.depth)
  end
  local len, mt = rawlen(t), getmt(t)
  open[t] = true
  depth = depth + 1
  if len > 0 or mt == ARRAY then
    local count = 0
    for _ in next, t do
      count = count + 1
    end
    nodes = nodes + count
    if nodes > limits.nodes then
      refuse_size(nodes)
    elseif count ~= len then
      refuse_mixture(t, len)
    end
    put_list(t, len, mt == nil or mt == ARRAY)
  else
    put_map(t)
  end
  trail[depth] = nil
  depth = depth - 1
  open[t] = nil
end

function put(v, kind)
  if kind == "string" then
    return put_string(v)
  elseif kind == "number" then
    return put_number(v)
  elseif kind == "nil" or v == null then
    n = n + 1
    out[n] = "\xC0"
  elseif kind == "boolean" then
    n = n + 1
    out[n] = v and "\xC3" or "\xC2"
  else
    local handle = handles[v]
    if handle then
      local taken = handle.taken
      if taken and handle.at <= taken[2] then
        refuse("a %s cannot cross to the host", "stream that was read in part")
      end
      put_extension(3, handle.payload)
    elseif opaque[v] then
      refuse("a %s cannot cross to the host", opaque[v])
    elseif kind == "table" then
      put_table(v)
    elseif kind == "function" then
      put_function(v)
    else
      refuse("a %s cannot cross to the host", kind)
    end
  end
end

local E = {}

-- Encode `count` values as a list, nil among them as null; `name` is what messages call one of them.
local function encode_list(name, count, ...)
  item = name
  out, n, nodes, size, depth, trail, open = {}, 1, count, 0, 1, {}, {}
  out[1] = spack(">BI4", 0xDD, count)
  for i = 1, count do
    local v = select(i, ...)
    trail[1] = i
    put(v, type(v))
  end
  return concat(out, "", 1, n)
end

function E.results(count, ...)
  return encode_list(count > 1 and "result", count, ...)
end

-- A stream comes to a `for` as four values, so that leaving the loop closes it; here that
-- is undone.
function E.arguments(count, ...)
  if count >= 4 then
    local stream, second, third, last = select(count - 3, ...)
    local handle = stream ~= nil and handles[stream]
    if handle and handle.kind == "stream" and rawequal(stream, last) and second == nil and third == nil then
      count = count - 3
    end
  end
  return encode_list("argument", count, ...)
end

-- Encode one value.
function E.value(v)
  item = nil
  out, n, nodes, size, depth, trail, open = {}, 0, 0, 0, 1, {}, {}
  put(v, type(v))
  return concat(out, "", 1, n)
end

-- The same for what the prelude says, whatever the limits of the script's values are.
function E.own_value(v)
  limits = OWN_LIMITS
  local blob = E.value(v)
  limits = P.limits
  return blob
end

function E.functions()
  return refs
end

P.forgetters[#P.forgetters + 1] = function()
  refs, ref_of, last_ref = {}, {}, 0
  keys, remembered = {}, 0
  out, trail, open, limits = nil, nil, nil, P.limits
end

return E
