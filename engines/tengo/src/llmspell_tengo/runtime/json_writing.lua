-- Writing JSON.

local R = ...

local type, getmetatable = type, getmetatable
local find, format, gsub = string.find, string.format, string.gsub
local concat, math_type, huge = table.concat, math.type, math.huge
local L, CODE, give_up = R.L, R.CODE, R.json_give_up

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
for code = 0, 31 do
  local char = string.char(code)
  escapes[char] = escapes[char] or format("\\u%04x", code)
end

local function encoded_text(s)
  if find(s, '[%c"\\]') then
    s = gsub(s, '[\0-\31"\\]', escapes)
  end
  return '"' .. s .. '"'
end

local function encoded_float(v)
  if v ~= v or v == huge or v == -huge then
    give_up("unsupported float value")
  end
  local size = v < 0 and -v or v
  if size ~= 0 and (size < 1e-6 or size >= 1e21) then
    return (gsub(R.format_float(v, "e", -1), "e%-0(%d)$", "e-%1"))
  end
  return R.format_float(v, "f", -1)
end

local encode

local function encode_list(out, v, depth)
  out[#out + 1] = "["
  local n = v[L]
  R.spend(n)
  for index = 0, n - 1 do
    if index > 0 then
      out[#out + 1] = ","
    end
    encode(out, v[index], depth)
  end
  out[#out + 1] = "]"
end

local function encode_map(out, v, depth)
  out[#out + 1] = "{"
  local keys, n = R.sorted_keys(v)
  for index = 1, n do
    if index > 1 then
      out[#out + 1] = ","
    end
    local key = keys[index]
    out[#out + 1] = encoded_text(key)
    out[#out + 1] = ":"
    encode(out, v[key], depth)
  end
  out[#out + 1] = "}"
end

function encode(out, v, depth)
  local t = type(v)
  if t == "string" then
    out[#out + 1] = encoded_text(v)
  elseif t == "number" then
    out[#out + 1] = math_type(v) == "integer" and format("%d", v) or encoded_float(v)
  elseif t == "boolean" then
    out[#out + 1] = v and "true" or "false"
  elseif t == "nil" then
    out[#out + 1] = "null"
  elseif t == "table" then
    if depth > R.DEEPEST then
      R.fail("value is nested too deep")
    end
    local mt = getmetatable(v)
    if mt.shape == "list" then
      encode_list(out, R.backing(v), depth + 1)
    elseif mt.shape == "map" then
      encode_map(out, R.backing(v), depth + 1)
    elseif mt == R.CHAR then
      out[#out + 1] = format("%d", v[CODE])
    elseif mt.kind == "bytes" then
      out[#out + 1] = '"' .. R.base64_text(rawget(v, R.DATA)) .. '"'
    elseif mt.kind == "time" then
      out[#out + 1] = '"' .. R.internal("time_rfc3339", R.time_parts(v)) .. '"'
    end
  end
end

-- the text of a value
function R.json_written(v)
  local out = {}
  encode(out, v, 1)
  return concat(out)
end
