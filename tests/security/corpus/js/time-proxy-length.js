// id: JS-TIM-015
// class: time
// tries: loop in the length of an array that is a proxy
// expect: error DeadlineExceeded

return new Proxy([], { get() { for (;;); } });
