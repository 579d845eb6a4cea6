// id: JS-ESC-047
// class: escape
// tries: close the function the file stands in and go on outside
// expect: error ScriptSyntaxError

}); globalThis.outside = true; (function () {
