// id: JS-ESC-050
// class: escape
// tries: get shared memory or blocking waits
// expect: value "safe"

return typeof SharedArrayBuffer === "undefined" && typeof Atomics === "undefined" ? "safe" : "ESCAPED";
