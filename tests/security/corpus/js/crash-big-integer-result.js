// id: JS-CRA-027
// class: crash
// tries: return an integer of a million digits
// expect: error ConversionError MemoryExceeded EngineCrashed ScriptRuntimeError ResourceExhausted | error LlmspellError DeadlineExceeded

return 7n ** 4000000n;
