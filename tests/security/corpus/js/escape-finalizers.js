// id: JS-ESC-051
// class: escape
// tries: run code after the run by a finalizer
// expect: value "safe"

return typeof FinalizationRegistry === "undefined" ? "safe" : "ESCAPED";
