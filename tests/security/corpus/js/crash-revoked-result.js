// id: JS-CRA-017
// class: crash
// tries: return a revoked proxy
// expect: error ScriptRuntimeError ConversionError

const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return proxy;
