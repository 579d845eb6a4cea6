// id: JS-PRO-008
// class: protocol
// tries: call methods of the host on something else
// expect: value "safe"

const { uuid } = core; return [uuid.call(null), uuid.apply(globalThis), uuid.bind({})()].every((id) => id.length === 36) ? "safe" : "ESCAPED";
