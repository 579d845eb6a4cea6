// id: JS-TIM-009
// class: time
// tries: starve the run by microtasks
// expect: error DeadlineExceeded

(function again() { Promise.resolve().then(again) })(); await new Promise(() => {});
