// id: JS-PRO-015
// class: protocol
// tries: bend the helper of the file
// expect: value "safe" | error ScriptRuntimeError

const helper = arguments[0];
helper.m.length = 1e6; helper.meta = null; helper.import = () => 1; helper.wait = (n, x) => x; helper.open = (x) => x;
await core.sleep(0);
return "safe";
