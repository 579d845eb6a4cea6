// id: JS-TIM-034
// class: time
// tries: sleep for longer than allowed
// expect: error DeadlineExceeded

await core.sleep(60);
