-- The module json.

local R = ...

local type, getmetatable, setmetatable, rawget, error, pcall = type, getmetatable, setmetatable, rawget, error, pcall
local byte, find, gsub, sub = string.byte, string.find, string.gsub, string.sub
local concat = table.concat

-- A fault of the text or value travels as a table with the message, up to the function that was called.

local Fault = {}

function R.json_give_up(message)
  error(setmetatable({ message = message }, Fault), 0)
end

-- run f(s); what it gives up with is an error value
local function guarded(f, s)
  local ok, result = pcall(f, s)
  if ok then
    return result
  elseif getmetatable(result) == Fault then
    return R.error_text(result.message)
  end
  error(result, 0)
end

-- the text in bytes or a string
local function text_argument(called, v)
  if type(v) == "string" then
    return v
  elseif R.kind_of(v) == "bytes" then
    return rawget(v, R.DATA)
  end
  R.bad_argument(called, "first", "bytes/string", v)
end

local members = {}

function members.decode(n, v)
  if n ~= 1 then
    R.bad_count("user-function:decode")
  end
  return guarded(R.json_read, text_argument("user-function:decode", v))
end

function members.encode(n, v)
  if n ~= 1 then
    R.bad_count("user-function:encode")
  end
  return guarded(function()
    return R.new_bytes(R.json_written(v))
  end)
end

-- Indenting: the text is sound, so that only strings and punctuation matter

local function indented(s, prefix, indent)
  local out, depth, at, size = {}, 0, 1, #s
  local opened = false
  local function line()
    out[#out + 1] = "\n" .. prefix .. string.rep(indent, depth)
  end
  while at <= size do
    local code = byte(s, at)
    if code == 32 or code == 9 or code == 10 or code == 13 then
      at = at + 1
    else
      local closing = code == 125 or code == 93
      if opened and not closing then
        depth = depth + 1
        line()
      elseif closing and not opened then
        depth = depth - 1
        line()
      end
      opened = false
      local stop = at
      if code == 34 then
        stop = at + 1
        while byte(s, stop) ~= 34 do
          stop = stop + (byte(s, stop) == 92 and 2 or 1)
        end
      elseif code ~= 123 and code ~= 91 and not closing and code ~= 44 and code ~= 58 then
        _, stop = find(s, "^[^%s,%]}]+", at)
      end
      out[#out + 1] = sub(s, at, stop)
      if code == 44 then
        line()
      elseif code == 58 then
        out[#out + 1] = " "
      elseif code == 123 or code == 91 then
        opened = true
      end
      at = stop + 1
    end
  end
  return concat(out)
end

function members.indent(n, v, prefix, indent)
  local called = "user-function:indent"
  if n ~= 3 then
    R.bad_count(called)
  elseif prefix == nil then
    R.bad_argument(called, "prefix", "string(compatible)", prefix)
  elseif indent == nil then
    R.bad_argument(called, "indent", "string(compatible)", indent)
  end
  prefix, indent = R.shown(prefix), R.shown(indent)
  local s = text_argument(called, v)
  R.spend(#s // 2)
  return guarded(function()
    R.json_read(s)
    return R.new_bytes(indented(s, prefix, indent))
  end)
end

local html = { ["<"] = "\\u003c", [">"] = "\\u003e", ["&"] = "\\u0026" }
function members.html_escape(n, v)
  if n ~= 1 then
    R.bad_count("user-function:html_escape")
  end
  local s = text_argument("user-function:html_escape", v)
  R.spend(#s // 16)
  s = gsub(s, "[<>&]", html)
  s = gsub(s, "\xe2\x80\xa8", "\\u2028")
  return R.new_bytes((gsub(s, "\xe2\x80\xa9", "\\u2029")))
end

R.define_module("json", members)
R.names[members.indent] = "user-function:encode"
