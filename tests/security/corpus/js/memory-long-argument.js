// id: JS-MEM-017
// class: memory
// tries: pass a very long text
// expect: value 20000000 | error MemoryExceeded ConversionError BridgeCallError ScriptRuntimeError DeadlineExceeded

return data.clone("x".repeat(20e6)).length;
