-- id: LUA-STA-005
-- class: state
-- tries: replace what require remembers for the next run
-- expect: value "safe"

pcall(function() package.loaded.data = {owned = true} end)
pcall(function() require = function() return {owned = true} end end)
return "safe"
