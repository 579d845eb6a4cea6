// id: JS-PRO-007
// class: protocol
// tries: read one thing as a stream and as something else
// expect: value "safe"

try { for await (const x of core.uuid()) {} return "safe" } catch { return "safe" }
