// id: JS-CRA-028
// class: crash
// tries: call the host with very many arguments
// expect: error BridgeCallError ScriptRuntimeError ConversionError DeadlineExceeded

data.clone(...new Array(60000).fill(1));
