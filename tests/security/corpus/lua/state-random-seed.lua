-- id: LUA-STA-008
-- class: state
-- tries: fix the random seed for the next run
-- expect: value "safe"

math.randomseed(42)
return "safe"
