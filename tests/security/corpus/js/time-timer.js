// id: JS-TIM-035
// class: time
// tries: wait for a timer for longer than allowed
// expect: error DeadlineExceeded

await new Promise((done) => setTimeout(done, 60000));
