// id: JS-PRO-011
// class: protocol
// tries: ask for a method with a NUL in its name
// expect: value "safe"

try { core["uuid\0x"](); return "ESCAPED" } catch { return "safe" }
