// id: JS-TIM-042
// class: time
// tries: drop endlessly many of an endless iterator
// expect: error DeadlineExceeded

Iterator.from({ next: () => ({ done: false, value: 1 }) }).drop(2 ** 53 - 1).next();
