// id: JS-TIM-010
// class: time
// tries: starve the run by queueMicrotask
// expect: error DeadlineExceeded

(function again() { queueMicrotask(again) })(); await core.sleep(9);
