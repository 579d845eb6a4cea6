-- The account of an error that ended a task, encoded for the host.

local P = ...
local getmetatable, rawget, type = getmetatable, rawget, type
local sub = string.sub
local utf8len = utf8.len

local MAX_MESSAGE <const> = 64 * 1024

local function message_of(e)
  local kind = type(e)
  if kind == "table" then
    local message = rawget(e, "message")
    if type(message) == "string" then
      return message
    end
    if getmetatable(e) == nil then
      return "the error is a table without a message"
    end
  elseif kind == "function" or kind == "thread" then
    return "the error is a " .. kind
  end
  return P.tostring(e)
end

local function describe(account, e)
  local message = message_of(e)
  if #message > MAX_MESSAGE then
    message = sub(message, 1, MAX_MESSAGE) .. "..."
  end
  account.message = message
  if type(e) == "table" then
    local code, path = rawget(e, "code"), rawget(e, "path")
    if type(code) == "string" and utf8len(code) then
      account.code = code
    end
    if type(path) == "string" then
      account.path = path
    end
    account.call = P.errors and P.errors.call_of(e)
  end
end

return function(task, e)
  local encode = P.need("encode")
  local account = { frames = task.frames, stage = task.stage }
  local ok, problem = P.pcall(describe, account, e)
  if not ok then
    account.message = "the error's __tostring failed: " .. (type(problem) == "string" and problem or type(problem))
  end
  if type(e) ~= "string" and e ~= nil then
    ok, account.value = P.pcall(encode.value, e)
    if not ok then
      account.value = nil -- not data; the message says what it is
    end
  end
  return encode.own_value(account)
end
