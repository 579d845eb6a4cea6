// id: JS-TIM-047
// class: time
// tries: a URL whose every part begins anew
// expect: value "safe" | error DeadlineExceeded MemoryExceeded

new URL("http://a/" + "../x/".repeat(1e5)); new URL("http://" + "@".repeat(1e4) + "a");
return "safe";
