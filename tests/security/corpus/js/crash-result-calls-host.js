// id: JS-CRA-002
// class: crash
// tries: call the host while the result is converted
// expect: value "safe"

return { toJSON() { core.uuid(); return "safe" } };
