-- Failures of host calls.

local R = ...

local error, setmetatable = error, setmetatable

-- Failures that are the script's own mistake end it; the others are error values it can test for.
local mistakes = {
  invalid_argument = true,
  denied = true,
  conversion = true,
  unknown_method = true,
  unknown_handle = true,
  module_not_found = true,
  bridge_not_found = true,
}

function R.fault(call, code, message, details)
  if mistakes[code] then
    error("\1f\1" .. call .. "\1" .. code .. "\1" .. message, 0)
  end
  local value = { code = code, message = message }
  if details then
    value.details = R.decoded_value(details)
  end
  return R.error_value(setmetatable(value, R.MAP))
end
