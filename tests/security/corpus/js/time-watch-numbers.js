// id: JS-TIM-048
// class: time
// tries: tell the glue of a wait with a giant number
// expect: error DeadlineExceeded ScriptRuntimeError MemoryExceeded

__llmspell.wait(2 ** 31, new Promise(() => {}));
await new Promise(() => {});
