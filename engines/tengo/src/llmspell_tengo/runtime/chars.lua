-- Chars and error values.

local R = ...

local setmetatable, rawget = setmetatable, rawget
local CODE, OWN, CHAR, ERR = R.CODE, R.OWN, R.CHAR, R.ERR
local fail, install, not_indexable, not_assignable, not_callable =
  R.fail, R.install, R.not_indexable, R.not_assignable, R.not_callable

-- Characters: one table per code point, so that they compare by identity.

local rare_chars = setmetatable({}, { __mode = "v" })
local chars = setmetatable({}, {
  __index = function(chars, code)
    local char = rare_chars[code]
    if not char then
      char = setmetatable({ [CODE] = code }, CHAR)
      if code >= 0 and code < 256 then
        chars[code] = char
      else
        rare_chars[code] = char
      end
    end
    return char
  end,
})
R.chars = chars

install(CHAR, not_indexable, not_assignable, not_callable)

install(ERR, function(t, k)
  if k == OWN then
    return nil
  elseif k ~= nil and R.shown(k) == "value" then
    return rawget(t, ERR)
  end
  fail("invalid index on error")
end, not_assignable, not_callable)

function R.error_value(v)
  return setmetatable({ [ERR] = v }, ERR)
end
