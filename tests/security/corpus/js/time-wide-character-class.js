// id: JS-TIM-049
// class: time
// tries: compile a class of very many characters
// expect: error DeadlineExceeded MemoryExceeded ScriptRuntimeError | value false

return new RegExp("[" + Array.from({ length: 2e5 }, (_, i) => String.fromCodePoint(0x10000 + i * 2)).join("") + "]", "v").test("b");
