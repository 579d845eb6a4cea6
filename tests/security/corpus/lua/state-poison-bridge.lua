-- id: LUA-STA-004
-- class: state
-- tries: overwrite functions of a bridge for the next run
-- expect: value "safe"

pcall(function() data.parse_json = function() return "owned" end end)
pcall(rawset, data, "parse_json", function() return "owned" end)
return "safe"
