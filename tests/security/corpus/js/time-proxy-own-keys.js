// id: JS-TIM-014
// class: time
// tries: loop in a proxy of the result
// expect: error DeadlineExceeded

return new Proxy({}, { ownKeys() { for (;;); } });
