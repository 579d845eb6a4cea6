// id: JS-CRA-016
// class: crash
// tries: throw a revoked proxy
// expect: error ScriptRuntimeError

const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;
