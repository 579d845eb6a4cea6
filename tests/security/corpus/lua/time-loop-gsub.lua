-- id: LUA-CPU-015
-- class: time
-- tries: a replacement function that never ends
-- expect: error DeadlineExceeded

return (("a"):gsub("a", function() while true do end end))
