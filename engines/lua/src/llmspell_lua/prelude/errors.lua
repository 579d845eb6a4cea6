-- Errors of the host: tables with `code` and `message` that still read and join like texts.

local P = ...
local error, rawget, setmetatable, type = error, rawget, setmetatable, type

local ERROR = { __metatable = false, __name = "error" }

-- Which call an error object answered: if nobody handles it, the host chains its own exception.
local calls = setmetatable({}, P.weak)

local function text_of(v)
  if type(v) == "table" then
    local message = rawget(v, "message")
    if type(message) == "string" then
      return message
    end
  end
  return P.tostring(v)
end

ERROR.__tostring = text_of

function ERROR.__concat(a, b)
  return text_of(a) .. text_of(b)
end

local E = {}

-- Raise a fault, the host's answer to a call.
function E.raise(call, code, message, details)
  local e = { code = code, message = message }
  if details then
    e.details = P.need("decode")(details)
  end
  calls[e] = call
  error(setmetatable(e, ERROR), 0)
end

-- Make an error of ours, not yet raised.
function E.make(code, message, extra)
  local e = extra or {}
  e.code, e.message = code, message
  return setmetatable(e, ERROR)
end

function E.fail(code, message, path)
  error(setmetatable({ code = code, message = message, path = path }, ERROR), 0)
end

function E.call_of(e)
  return calls[e]
end

return E
