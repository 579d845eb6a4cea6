-- The module hex.

local R = ...

local byte, find, format, gsub, sub, char = string.byte, string.find, string.format, string.gsub, string.sub, string.char

local pairs_of = {}
for code = 0, 255 do
  pairs_of[char(code)] = format("%02x", code)
end

R.define_module("hex", {
  encode = R.module_function("encode", { "bytes" }, function(s)
    R.spend(#s // 4)
    return (gsub(s, "[\0-\xff]", pairs_of))
  end),
  decode = R.module_function("decode", { "string" }, function(s)
    local at = find(s, "[^%x]")
    if at then
      local code = byte(s, at)
      local seen = R.internal("quote_char", code)
      return R.error_text("encoding/hex: invalid byte: U+" .. format("%04X", code) .. " " .. seen)
    elseif #s % 2 == 1 then
      return R.error_text("encoding/hex: odd length hex string")
    end
    R.spend(#s // 4)
    local data = gsub(s, "%x%x", function(pair)
      return char(tonumber(pair, 16))
    end)
    return R.new_bytes(data)
  end),
})
